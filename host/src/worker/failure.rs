//! What goes wrong while a projector works, and what it means.

use std::time::Duration;

use super::quarantine::Condemned;
use super::rows::LedgerError;
use crate::config::Pacing;
use crate::model::{Checkpoint, Digest, EventBatch, Failure, FailureClass, Position, Timestamp};
use crate::read_store::StoreError;
use crate::sandbox::ProjectError;
use crate::source::SourceError;
use crate::telemetry::in_one_line;
use crate::unit_of_work::CommandProblem;

/// How a worker's task came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was asked to stop. Everything up to its checkpoint is committed.
    Stopped,
    /// It read to the head of the log, as it was meant to.
    CaughtUp,
    /// Somebody else has taken the generation over; the text says how it showed.
    Fenced(String),
    /// Another host works on the generation and was heard of lately.
    Held {
        /// That host.
        by: String,
    },
    /// The projector, or the host, is at fault and stands still.
    Failed(Failure),
}

/// Why one round of the loop could not be completed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The store or the source cannot be used at the moment: try again.
    Passing(Box<dyn std::error::Error + Send + Sync>),
    /// A batch cannot be projected; the projector's fault.
    Batch(Blame),
    /// Rows could not be committed: the projector's fault, and some event before
    /// `reached` is to blame, one of the last `events` if that is known.
    Rows {
        cause: String,
        reached: Checkpoint,
        events: Option<usize>,
    },
    /// The rows of one event could not be committed, for good.
    Condemned(Condemned),
    /// Somebody else has taken over.
    Fenced(String),
    /// Too many events wait for earlier versions of their entities.
    Stuck(Box<Failure>),
    /// Another host holds the generation.
    Held { by: String },
    /// The event log is not what it should be; trying again does not help.
    Source(String),
    /// A bug or a broken database; trying again does not help.
    Lasting(String),
}

/// Which event of a batch is at fault, as far as is known, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blame {
    pub(super) class: FailureClass,
    pub(super) cause: String,
    /// As an index into the batch.
    pub(super) event: Option<usize>,
    /// Whether each failure costs so much time that the event at fault is better
    /// met once, alone, than searched for.
    pub(super) is_dear: bool,
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        if error.is_transient() {
            return Trouble::Passing(error.into());
        }
        match error {
            SourceError::Hole { .. } | SourceError::Unreadable { .. } | SourceError::Unfit(_) => {
                Trouble::Source(in_one_line(&error))
            }
            _ => Trouble::Lasting(in_one_line(&error)),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            // Dropped, or replaced by another, while this worker was at it.
            StoreError::NoGeneration(_) => Trouble::Fenced(error.to_string()),
            // A key that was asked for cannot be one of the database's.
            StoreError::Refused { .. } => batch(in_one_line(&error), None),
            _ if error.is_transient() => Trouble::Passing(error.into()),
            _ => Trouble::Lasting(in_one_line(&error)),
        }
    }
}

/// What a refusal of the ledger means. `part` tells which events of the batch
/// the command's index counts.
pub(super) fn of_ledger(error: LedgerError, part: &[usize]) -> Trouble {
    match error {
        LedgerError::Store(error) => error.into(),
        LedgerError::TooMuch => batch(LedgerError::TooMuch.to_string(), None),
        LedgerError::Read(problem) => batch(in_one_line(&LedgerError::Read(problem)), None),
        LedgerError::Command(error) => {
            let event = error
                .event
                .and_then(|event| part.get(event as usize).copied());
            let cause = match &error.problem {
                CommandProblem::Malformed(problem) => {
                    format!("the projector sent broken commands: {problem}")
                }
                problem => format!(
                    "the projector sent a wrong command: {}",
                    in_one_line(problem)
                ),
            };
            batch(cause, event)
        }
    }
}

/// What a failed call of the projector means.
pub(super) fn of_projector(error: &ProjectError, part: &[usize]) -> Trouble {
    let event = error.event().and_then(|event| part.get(event).copied());
    match error {
        ProjectError::Engine(_) => Trouble::Lasting(in_one_line(error)),
        // The projector looked at the event and would not have it.
        ProjectError::Returned { .. } => Trouble::Batch(Blame {
            class: FailureClass::Event,
            cause: in_one_line(error),
            event,
            is_dear: false,
        }),
        ProjectError::TimedOut { .. } => Trouble::Batch(Blame {
            class: FailureClass::Projector,
            cause: in_one_line(error),
            event,
            is_dear: true,
        }),
        _ => batch(in_one_line(error), event),
    }
}

fn batch(cause: String, event: Option<usize>) -> Trouble {
    Trouble::Batch(Blame {
        class: FailureClass::Projector,
        cause,
        event,
        is_dear: false,
    })
}

/// The failure of one event, told for a person.
pub(super) fn at_event(
    class: FailureClass,
    cause: String,
    digest: &Digest,
    events: &EventBatch,
    stream: Option<String>,
) -> Failure {
    let position = (!events.is_empty()).then(|| events.position(0));
    Failure {
        position,
        event_type: (!events.is_empty()).then(|| events.event_type(0).to_owned()),
        stream,
        ..without_event(class, cause, digest)
    }
}

/// The failure of a projector that would have more dead letters than it may.
pub(super) fn too_many_dead_letters(most: usize, digest: &Digest) -> Failure {
    let cause = format!("more than {most} events would be set aside (failure.most_dead_letters)");
    let mut failure = without_event(FailureClass::Projector, cause, digest);
    failure.next_step = "`lantern dead-letters list` shows them: discard some, or mend the \
                         projector, or raise the limit; then `lantern resume`"
        .into();
    failure
}

/// A failure that no single event is to blame for.
pub fn without_event(class: FailureClass, cause: String, digest: &Digest) -> Failure {
    let next_step = match class {
        FailureClass::Projector => {
            "fix the projector and put the new component into the watched folder: with the same \
             version it goes on from here, with a new version it is rebuilt; or `lantern resume` \
             to try the same component again"
        }
        FailureClass::Event => {
            "see what is wrong with the event: a new version of the projector may accept it; or set \
             `failure.live = \"quarantine\"` for this projector, so that the event's stream waits \
             and all others flow; then `lantern resume`"
        }
        FailureClass::Source => {
            "see to the event log; when it is whole again, `lantern rebuild` makes the rows anew, \
             and `lantern resume` goes on from here if nothing before this point was missed"
        }
        FailureClass::Environment => "see to the database, then `lantern resume`",
        FailureClass::Host => {
            "this is a fault of the host or of its database: keep the log, report it, then \
             `lantern resume` to try again"
        }
    };
    Failure {
        class,
        cause,
        next_step: next_step.to_owned(),
        at: Timestamp::now(),
        digest: Some(digest.clone()),
        position: None::<Position>,
        event_type: None,
        stream: None,
    }
}

/// The pauses between attempts: each twice as long as the one before, spread by
/// a fifth so that workers do not knock in step.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    pub(super) fn new(pacing: &Pacing) -> Self {
        Self {
            next: pacing.retry_first,
            most: pacing.retry_most,
        }
    }

    pub(super) fn pause(&mut self) -> Duration {
        use std::hash::{BuildHasher, RandomState};
        // The standard library's seed is random enough to spread pauses.
        let spread = RandomState::new().hash_one(self.next) % 400;
        let pause = self.next.mul_f64(0.8 + spread as f64 / 1000.0);
        self.next = (self.next * 2).min(self.most);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again_by_itself() {
        let why = || "why".into();
        let passes = |trouble| matches!(trouble, Trouble::Passing(_));
        assert!(passes(StoreError::Unavailable(why()).into()));
        assert!(passes(SourceError::Unavailable(why()).into()));
        let broken: [Trouble; 2] = [
            StoreError::Broken(why()).into(),
            SourceError::Broken(why()).into(),
        ];
        for trouble in broken {
            assert!(matches!(trouble, Trouble::Lasting(_)), "{trouble:?}");
        }
        let hole = SourceError::Hole {
            stream: "s".into(),
            expected: 2,
            found: 3,
            position: Position(7),
        };
        assert!(matches!(hole.into(), Trouble::Source(_)));
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let pacing = Pacing {
            retry_first: Duration::from_millis(100),
            retry_most: Duration::from_secs(1),
            ..Pacing::default()
        };
        let mut backoff = Backoff::new(&pacing);
        for middle in [100, 200, 400, 800, 1_000, 1_000] {
            let pause = backoff.pause().as_millis();
            let spread = middle * 8 / 10..=middle * 12 / 10;
            assert!(spread.contains(&pause), "{pause} about {middle}");
        }
        let firsts = (0..20).map(|_| Backoff::new(&pacing).pause());
        assert!(firsts.collect::<BTreeSet<_>>().len() > 1, "never in step");
    }
}

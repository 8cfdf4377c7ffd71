//! Does with dead letters what the operator asked for.
//!
//! Stream by stream, event by event, in order: each that can be projected after
//! all is committed together with the end of its letter. The first that cannot
//! ends the stream's turn, as whatever comes later waits behind it.

use tokio::task::spawn_blocking;

use super::Assignment;
use super::cycle::{Cycle, died};
use super::failure::{self, Blame, Trouble};
use super::order::{Order, Task, Turn};
use super::quarantine::{Condemned, by_stream};
use crate::model::{
    DeadLetter, DeadLetterError, DeadLetterRequest, Envelope, EventBatch, FailureClass, Position,
    Timestamp,
};
use crate::source::{PageLimit, event_at};
use crate::telemetry::happened;

impl Cycle<'_> {
    /// Settles what was asked of the letters that were found at the beginning.
    pub(super) async fn settle(&mut self, letters: Vec<DeadLetter>) -> Result<(), Trouble> {
        for stream in by_stream(letters) {
            if stream.iter().any(|letter| letter.asked.is_some()) {
                self.settle_stream(stream).await?;
            }
        }
        Ok(())
    }

    async fn settle_stream(&mut self, letters: Vec<DeadLetter>) -> Result<(), Trouble> {
        // A request to try again means the first letter, and then all others; a
        // stream whose first was discarded goes on, too.
        let mut goes_on = false;
        let mut is_blocked = false;
        for letter in letters {
            match letter.asked {
                Some(DeadLetterRequest::Discard) => {
                    if self.give_up(&letter).await? {
                        self.quarantine.settle(&letter);
                        goes_on = true;
                    } else {
                        is_blocked = true;
                    }
                }
                asked if !is_blocked && (goes_on || asked == Some(DeadLetterRequest::Retry)) => {
                    goes_on = true;
                    is_blocked = !self.try_again(letter).await?;
                }
                asked => {
                    is_blocked = true;
                    if asked.is_some() {
                        self.quarantine.write(letter);
                    }
                }
            }
        }
        self.commit_all().await
    }

    /// Projects one dead letter and commits; says whether that went well.
    async fn try_again(&mut self, letter: DeadLetter) -> Result<bool, Trouble> {
        let condemned = self.quarantine.take_condemned(letter.position);
        let error = match condemned {
            // Its rows could not be committed a moment ago.
            Some(condemned) => Some(condemned.error),
            None => self.project_letter(&letter).await?,
        };
        let name = &self.assignment.projector.description().name;
        let Some(error) = error else {
            happened::dead_letter_projected(name, letter.position, &letter.stream);
            self.quarantine.settle(&letter);
            return match self.commit_all().await {
                Ok(()) => Ok(true),
                Err(Trouble::Rows { cause, .. }) => Err(Trouble::Condemned(Condemned {
                    position: letter.position,
                    error: self.letter_error(FailureClass::Projector, cause),
                    attempts: letter.attempts + 1,
                })),
                Err(trouble) => Err(trouble),
            };
        };
        happened::dead_letter_failed_again(name, letter.position, &letter.stream, &error.cause);
        self.quarantine.write(DeadLetter {
            attempts: letter.attempts + 1,
            error: Some(error),
            ..letter
        });
        Ok(false)
    }

    async fn project_letter(
        &mut self,
        letter: &DeadLetter,
    ) -> Result<Option<DeadLetterError>, Trouble> {
        let Some(events) = self.read_one(letter.position).await? else {
            let cause = "the event is no longer in the log, or the projector no longer wants it";
            return Ok(Some(self.letter_error(FailureClass::Source, cause.into())));
        };
        let blame = self.take_up(events, Task::Project).await?;
        Ok(blame.map(|blame| self.letter_error(blame.class, told(blame))))
    }

    /// Gives up an event that is discarded: strict order counts its version as having
    /// been there, and what has waited for it follows. Says whether that went well.
    async fn give_up(&mut self, letter: &DeadLetter) -> Result<bool, Trouble> {
        if self.order.is_none() {
            return Ok(true);
        }
        let Some(events) = self.read_one(letter.position).await? else {
            return Ok(true);
        };
        match self.take_up(events, Task::GiveUp).await? {
            Some(blame) if blame.waited.is_some() => {
                self.quarantine.write(DeadLetter {
                    error: Some(self.letter_error(blame.class, told(blame))),
                    ..letter.clone()
                });
                Ok(false)
            }
            // Without a sound version there is nothing to give up.
            _ => Ok(true),
        }
    }

    /// Has what an operator released follow without what is missing before it.
    pub(super) async fn release(&mut self) -> Result<(), Trouble> {
        if !self.order.as_ref().is_some_and(Order::has_released) {
            return Ok(());
        }
        let none = EventBatch::default();
        let Some(blame) = self.take_up(none, Task::Release).await? else {
            return self.commit_all().await;
        };
        let digest = self.assignment.projector.digest();
        let mut failure = failure::without_event(blame.class, blame.cause, digest);
        failure.position = blame.waited;
        Err(Trouble::Stuck(failure.into()))
    }

    /// Takes the event of a letter through strict order and the projector. What has
    /// waited for it and fails is set aside in turn, if that is wanted.
    async fn take_up(
        &mut self,
        mut events: EventBatch,
        task: Task,
    ) -> Result<Option<Blame>, Trouble> {
        loop {
            let turn = Turn {
                held: self.quarantine.held(),
                // One at a time, so that it is known which fails.
                lot: PageLimit {
                    events: 1,
                    bytes: usize::MAX,
                },
                task,
            };
            let (taken, projected) = self.project(events, turn).await?;
            events = taken;
            match projected {
                Ok(letters) => {
                    self.tell_of(&letters);
                    self.quarantine.set_aside(letters);
                    return Ok(None);
                }
                Err(Trouble::Batch(blame)) => match blame.waited {
                    Some(position) if self.quarantine.is_wanted() => {
                        let error = self.letter_error(blame.class, blame.cause);
                        self.condemn(Condemned {
                            position,
                            error,
                            attempts: 1,
                        });
                    }
                    _ => return Ok(Some(blame)),
                },
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// One event, with all that a page brings of it.
    pub(super) async fn read_one(
        &mut self,
        position: Position,
    ) -> Result<Option<EventBatch>, Trouble> {
        read_at(self.assignment, position, self.needs).await
    }

    pub(super) fn letter_error(&self, class: FailureClass, cause: String) -> DeadLetterError {
        DeadLetterError {
            class,
            cause,
            digest: self.assignment.projector.digest().clone(),
            at: Timestamp::now(),
        }
    }
}

/// One event, if it is there and the projector wants it.
pub(super) async fn read_at(
    assignment: &Assignment,
    position: Position,
    needs: Envelope,
) -> Result<Option<EventBatch>, Trouble> {
    let about = assignment.projector.description();
    let mut reader = assignment.source.reader(&about.wants, needs)?;
    let reading = spawn_blocking(move || event_at(&mut *reader, position));
    Ok(reading.await.map_err(died)??)
}

/// What failed, and that it was another event if it was.
fn told(blame: Blame) -> String {
    match blame.waited {
        Some(position) => format!(
            "event {position}, which had waited for this one, cannot follow it: {}",
            blame.cause
        ),
        None => blame.cause,
    }
}

//! Does with dead letters what the operator asked for.
//!
//! Stream by stream, event by event, in order: each that can be projected after
//! all is committed together with the end of its letter. The first that cannot
//! ends the stream's turn, as whatever comes later waits behind it. New events have
//! their turns in between: those of a stream that is being settled join its letters.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Assignment;
use super::cycle::{Cycle, died};
use super::failure::{Blame, End, Trouble};
use super::order::{Order, Task, Turn};
use super::quarantine::{Condemned, by_stream};
use crate::model::{
    DeadLetter, DeadLetterError, DeadLetterRequest, Envelope, EventBatch, FailureClass, Position,
    Timestamp,
};
use crate::source::event_at;
use crate::telemetry::happened;

/// How long dead letters are settled before new events have a turn.
const TURN: Duration = Duration::from_millis(100);

/// The dead letters of streams of which something was asked, and that are not settled
/// yet: stream by stream, those of each in order.
#[derive(Default)]
pub(super) struct Settling(VecDeque<Asked>);

/// Those of one stream.
struct Asked {
    letters: VecDeque<DeadLetter>,
    /// Whether one before them remains.
    is_blocked: bool,
}

impl Settling {
    /// What is asked of letters.
    pub(super) fn of(letters: Vec<DeadLetter>) -> Self {
        let mut streams = by_stream(letters);
        streams.retain(|letters| letters.iter().any(|letter| letter.asked.is_some()));
        let asked = |letters: Vec<DeadLetter>| Asked {
            letters: letters.into(),
            is_blocked: false,
        };
        Self(streams.into_iter().map(asked).collect())
    }

    /// Whether all is done.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes note of events that are set aside meanwhile: in a stream that is being
    /// settled, they come after the others.
    pub(super) fn join(&mut self, letters: &[DeadLetter]) {
        for letter in letters {
            let is_of = |asked: &&mut Asked| {
                let first = asked.letters.front();
                first.is_some_and(|first| is_of_one_stream(first, letter))
            };
            if let Some(asked) = self.0.iter_mut().find(is_of) {
                asked.letters.push_back(letter.clone());
            }
        }
    }

    /// The next letter, and whether one before it in its stream remains. It stays the
    /// next until it is done.
    fn next(&self) -> Option<(DeadLetter, bool)> {
        let asked = self.0.front()?;
        Some((asked.letters.front()?.clone(), asked.is_blocked))
    }

    /// Goes on after a letter, which is settled or remains. Returns the one that is to
    /// be tried next as this one's end lets it go on, though nobody asked for it.
    fn done(&mut self, is_settled: bool) -> Option<Position> {
        let asked = self.0.front_mut()?;
        asked.letters.pop_front();
        asked.is_blocked |= !is_settled;
        let is_blocked = asked.is_blocked;
        let Some(next) = asked.letters.front_mut() else {
            self.0.pop_front();
            return None;
        };
        if is_blocked || next.asked.is_some() {
            return None;
        }
        next.asked = Some(DeadLetterRequest::Retry);
        Some(next.position)
    }
}

fn is_of_one_stream(a: &DeadLetter, b: &DeadLetter) -> bool {
    (&a.tenant, &a.stream) == (&b.tenant, &b.stream)
}

impl Cycle<'_> {
    /// Does some of what was asked of dead letters, and then lets others have a turn.
    pub(super) async fn settle(
        &mut self,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        let begun = Instant::now();
        while !*stopped.borrow() && begun.elapsed() < TURN {
            let Some((letter, is_blocked)) = self.settling.next() else {
                break;
            };
            // What was gathered before is not the fault of this one.
            self.commit_all().await?;
            let is_done = match letter.asked {
                Some(DeadLetterRequest::Discard) => {
                    self.give_up(&letter).await?;
                    self.quarantine.settle(&letter);
                    true
                }
                Some(DeadLetterRequest::Retry) if !is_blocked => {
                    self.try_again(letter.clone()).await?
                }
                Some(DeadLetterRequest::Retry) => {
                    self.quarantine.write(letter.clone());
                    false
                }
                None => false,
            };
            if let Some(next) = self.settling.done(is_done) {
                self.quarantine.ask(next);
            }
            self.commit_all().await?;
            if let Some(end) = self.follow_on(stopped).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
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
        match self.project_alone(events, Task::ProjectAlone).await? {
            Ok(_) => Ok(None),
            Err(blame) => Ok(Some(self.letter_error(blame.class, blame.cause))),
        }
    }

    /// Gives up an event that is discarded: strict order counts its version as having
    /// been there, and what has waited for it follows.
    async fn give_up(&mut self, letter: &DeadLetter) -> Result<(), Trouble> {
        if self.order.is_some()
            && let Some(events) = self.read_one(letter.position).await?
        {
            // Without a sound version there is nothing to give up.
            let _blame = self.project_alone(events, Task::GiveUp).await?;
        }
        Ok(())
    }

    /// Whether something is to follow in strict order before anything else.
    pub(super) fn follows_on(&self) -> bool {
        self.order.as_ref().and_then(Order::next_released).is_some()
    }

    /// Has follow what is released in strict order, one event and one commit at a
    /// time: so it is known which one fails, or writes rows that are refused.
    pub(super) async fn follow_on(
        &mut self,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        while let Some(next) = self.order.as_ref().and_then(Order::next_released) {
            if *stopped.borrow() {
                return Ok(None);
            }
            // What was gathered before is not the fault of this one.
            self.commit_all().await?;
            let none = EventBatch::default();
            let end = match self.project_alone(none, Task::Step).await? {
                Ok(letters) => {
                    self.tell_of(&letters);
                    self.quarantine.set_aside(letters);
                    match self.commit_all().await {
                        Err(Trouble::Rows { cause, .. }) => {
                            let event = self.waited(next).await?;
                            Some(self.rows_refused(cause, event).await?)
                        }
                        committed => committed.map(|()| None)?,
                    }
                }
                Err(blame) => {
                    let event = self.waited(next).await?;
                    self.fail_single(event, blame).await?
                }
            };
            if end.is_some() {
                return Ok(end);
            }
            self.pause(stopped).await;
        }
        Ok(None)
    }

    /// An event that has waited, and was there a moment ago.
    async fn waited(&mut self, position: Position) -> Result<EventBatch, Trouble> {
        let event = self.read_one(position).await?;
        event.ok_or_else(|| Trouble::Source(format!("event {position} is no longer in the log")))
    }

    /// Takes a single event through strict order and the projector.
    async fn project_alone(
        &mut self,
        events: EventBatch,
        task: Task,
    ) -> Result<Result<Vec<DeadLetter>, Blame>, Trouble> {
        let turn = Turn {
            held: self.quarantine.held(),
            room: self.quarantine.room(),
            lot: self.pace.full_page(),
            task,
        };
        match self.project(events, turn).await?.1 {
            Ok(letters) => Ok(Ok(letters)),
            Err(Trouble::Batch(blame)) => Ok(Err(blame)),
            Err(trouble) => Err(trouble),
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

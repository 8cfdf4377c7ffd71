//! Does with dead letters what the operator asked for.
//!
//! Stream by stream, event by event, in order: each that can be projected after
//! all is committed together with the end of its letter. The first that cannot
//! ends the stream's turn, as whatever comes later waits behind it.

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

impl Cycle<'_> {
    /// Settles what was asked of the letters that were found at the beginning.
    pub(super) async fn settle(
        &mut self,
        letters: Vec<DeadLetter>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        for stream in by_stream(letters) {
            if !stream.iter().any(|letter| letter.asked.is_some()) {
                continue;
            }
            if let Some(end) = self.settle_stream(stream, stopped).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn settle_stream(
        &mut self,
        letters: Vec<DeadLetter>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        // A request to try again means the first letter, and then all others; a
        // stream whose first was discarded goes on, too.
        let mut goes_on = false;
        let mut is_blocked = false;
        for letter in letters {
            if *stopped.borrow() {
                return Ok(None);
            }
            match letter.asked {
                Some(DeadLetterRequest::Discard) => {
                    self.give_up(&letter).await?;
                    self.quarantine.settle(&letter);
                    goes_on = true;
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

//! What the loop does when events fail: finds the one at fault, tries it again, sets
//! it aside or ends.

use std::time::Duration;

use super::Assignment;
use super::cycle::Cycle;
use super::failure::{self, Backoff, Blame, End, Trouble};
use super::pace::Careful;
use super::quarantine::Condemned;
use super::settle::read_at;
use crate::config::Pacing;
use crate::model::{DeadLetter, Envelope, EventBatch, Failure, FailureClass, Position};
use crate::source::Page;
use crate::telemetry::happened;

impl Cycle<'_> {
    pub(super) async fn fail_at(
        &mut self,
        page: Page,
        blame: Blame,
    ) -> Result<Option<End>, Trouble> {
        self.read_again().await?;
        self.commit_all().await?;
        // Strict order may have fed others with a single event of the page, but not
        // while going carefully.
        let is_alone = self.order.is_none() || self.pace.is_careful();
        if page.events.len() == 1 && is_alone {
            return self.fail_single(page.events, blame).await;
        }
        let (first, last) = (
            page.events.position(0),
            page.events.position(page.events.len() - 1),
        );
        let name = &self.assignment.projector.description().name;
        // Told in full when the event at fault is found.
        let cause: String = blame.cause.chars().take(200).collect();
        happened::going_carefully(name, first, last, &cause);
        let events = page.events.len();
        let careful = match blame.is_dear {
            true => Careful::singly(page.checkpoint),
            false => Careful::after(page.checkpoint, events, blame.event),
        };
        self.pace.be_careful(careful);
        Ok(None)
    }

    /// One event cannot be projected. It comes again unless the work ends here.
    pub(super) async fn fail_single(
        &mut self,
        event: EventBatch,
        blame: Blame,
    ) -> Result<Option<End>, Trouble> {
        let position = event.position(0);
        if self.retries.again(position) {
            return Ok(None);
        }
        if !self.quarantine.is_wanted() {
            let failure = failure_at(self.assignment, &event, blame).await;
            return Ok(Some(End::Failed(failure)));
        }
        let error = self.letter_error(blame.class, blame.cause);
        self.condemn(Condemned {
            position,
            error,
            attempts: self.retries.attempts(),
        });
        self.pace.found();
        Ok(None)
    }

    pub(super) fn tell_of(&self, letters: &[DeadLetter]) {
        let name = &self.assignment.projector.description().name;
        for letter in letters {
            if let Some(error) = &letter.error {
                happened::quarantined(name, letter.position, &letter.stream, &error.cause);
            }
        }
    }

    /// The rows of a page that was taken carefully could not be committed.
    pub(super) async fn page_refused(&mut self, cause: String, page: Page) -> Result<End, Trouble> {
        match page.events.len() {
            1 => self.rows_refused(cause, page.events).await,
            events => Err(Trouble::Rows {
                cause,
                reached: page.checkpoint,
                events: Some(events),
            }),
        }
    }

    /// The rows of one event could not be committed.
    pub(super) async fn rows_refused(
        &mut self,
        cause: String,
        event: EventBatch,
    ) -> Result<End, Trouble> {
        let class = FailureClass::Projector;
        if self.quarantine.is_wanted() {
            return Err(Trouble::Condemned(Condemned {
                position: event.position(0),
                error: self.letter_error(class, cause),
                attempts: 1,
            }));
        }
        let blame = Blame {
            class,
            cause,
            event: None,
            is_dear: false,
        };
        let failure = failure_at(self.assignment, &event, blame).await;
        Ok(End::Failed(failure))
    }
}

/// Tells which event a failure happened at. The stream's name may not have been
/// read, as the projector did not ask for it; it is read now.
async fn failure_at(assignment: &Assignment, event: &EventBatch, blame: Blame) -> Failure {
    let needs = Envelope {
        streams: true,
        ..Envelope::default()
    };
    let again = read_at(assignment, event.position(0), needs).await;
    let stream = again.ok().flatten().map(|again| again.streams);
    let digest = assignment.projector.digest();
    failure::at_event(blame.class, blame.cause, digest, event, stream)
}

/// How often the event at hand was tried.
pub(super) struct Retries {
    most: usize,
    position: Option<Position>,
    tried: usize,
    backoff: Backoff,
    fresh: Pacing,
    /// How long to wait before the next try.
    pub(super) pause: Option<Duration>,
}

impl Retries {
    /// An event is tried again `most` times.
    pub(super) fn new(most: usize, pacing: &Pacing) -> Self {
        Self {
            most,
            position: None,
            tried: 0,
            backoff: Backoff::new(pacing),
            fresh: pacing.clone(),
            pause: None,
        }
    }

    /// Takes note that an event failed; says whether to try it again.
    pub(super) fn again(&mut self, position: Position) -> bool {
        if self.position.replace(position) != Some(position) {
            self.tried = 0;
            self.backoff = Backoff::new(&self.fresh);
        }
        self.tried += 1;
        let again = self.tried <= self.most;
        self.pause = again.then(|| self.backoff.pause());
        again
    }

    fn attempts(&self) -> u64 {
        self.tried as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_tries_and_pauses_of_its_own() {
        let mut retries = Retries::new(2, &Pacing::default());
        for event in [7, 8] {
            let mut pauses = Vec::new();
            while retries.again(Position(event)) {
                pauses.extend(retries.pause.take());
            }
            assert_eq!(retries.attempts(), 3, "event {event}");
            assert_eq!(retries.pause, None, "nothing is waited for any more");
            let first = Pacing::default().retry_first;
            assert!(pauses[0] < first * 3 / 2, "{pauses:?}");
            assert!(pauses.len() == 2 && pauses[0] < pauses[1], "{pauses:?}");
        }
    }
}

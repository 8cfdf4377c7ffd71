//! How much to take at a time, and when to commit.

use std::time::Instant;

use crate::config::Pacing;
use crate::model::Checkpoint;
use crate::source::PageLimit;

/// The pace of one worker.
#[derive(Debug)]
pub(super) struct Pace {
    pacing: Pacing,
    gathering_since: Option<Instant>,
    careful: Option<Careful>,
}

/// After a failure: one event at a time up to a checkpoint, each committed by
/// itself, so that the event at fault is found and its neighbours are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Careful {
    /// How far to go carefully.
    pub(super) until: Checkpoint,
    /// Events that come before the one that is known to be at fault; they can be
    /// taken together.
    pub(super) good: usize,
}

/// What has been gathered and not yet handed to the database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gathered {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Pace {
    pub(super) fn new(pacing: Pacing, careful: Option<Careful>) -> Self {
        Self {
            pacing,
            gathering_since: None,
            careful,
        }
    }

    /// How much to read next.
    pub(super) fn page_limit(&self) -> PageLimit {
        let events = match &self.careful {
            Some(careful) => careful.good.max(1),
            None => self.pacing.batch_events,
        };
        PageLimit {
            events,
            bytes: self.pacing.batch_bytes,
        }
    }

    /// Whether events are being taken one at a time.
    pub(super) fn is_careful(&self) -> bool {
        self.careful.is_some()
    }

    /// Goes carefully from here on.
    pub(super) fn be_careful(&mut self, careful: Careful) {
        self.careful = Some(careful);
    }

    /// Takes note of a batch that has been folded.
    pub(super) fn folded(&mut self, reached: &Checkpoint) {
        self.gathering_since.get_or_insert_with(Instant::now);
        if let Some(careful) = &mut self.careful {
            careful.good = 0;
            if reached.reaches(&careful.until) {
                self.careful = None;
            }
        }
    }

    /// Takes note that what was gathered has been handed to the database.
    pub(super) fn handed_over(&mut self) {
        self.gathering_since = None;
    }

    /// Whether a commit is worth while when the database is free.
    pub(super) fn is_worth_a_commit(&self, gathered: Gathered, at_head: bool) -> bool {
        at_head
            || self.is_careful()
            || gathered.rows >= self.pacing.commit_rows
            || gathered.bytes >= self.pacing.commit_bytes
            || self.is_due()
    }

    /// Whether gathering must end, even if the database is not free yet.
    pub(super) fn must_commit(&self, gathered: Gathered, at_head: bool) -> bool {
        // Four times what is worth a commit: then the database is what is slow, and
        // gathering more would only use memory.
        at_head
            || self.is_careful()
            || gathered.rows >= self.pacing.commit_rows.saturating_mul(4)
            || gathered.bytes >= self.pacing.commit_bytes
            || self.is_due()
    }

    fn is_due(&self) -> bool {
        self.gathering_since
            .is_some_and(|since| since.elapsed() >= self.pacing.commit_interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;

    #[test]
    fn after_a_failure_the_good_events_go_together_and_the_rest_singly() {
        let mut pace = Pace::new(Pacing::default(), None);
        assert_eq!(pace.page_limit().events, Pacing::default().batch_events);
        let until = Checkpoint::at(Position(10));
        pace.be_careful(Careful { until, good: 7 });
        assert_eq!(pace.page_limit().events, 7);
        pace.folded(&Checkpoint::at(Position(7)));
        assert_eq!(pace.page_limit().events, 1);
        assert!(pace.must_commit(Gathered { rows: 1, bytes: 1 }, false));
        pace.folded(&Checkpoint::at(Position(10)));
        assert_eq!(pace.page_limit().events, Pacing::default().batch_events);
    }
}

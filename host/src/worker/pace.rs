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

/// After a failure: fewer events at a time up to a checkpoint, each lot committed
/// by itself, so that the event at fault is found and its neighbours are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Careful {
    /// How far to go carefully.
    pub(super) until: Checkpoint,
    /// How many events to take next.
    pub(super) lot: usize,
    /// How many after that, when the lot went well.
    pub(super) then: Then,
}

/// What is known of the event at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It comes right after the lot.
    Single,
    /// It is among as many events as are in the lot, or in the lot itself: half as
    /// many.
    Half,
    /// It may be anywhere.
    Same,
}

impl Careful {
    /// When `events` failed together. `blamed` of them come before the one that is
    /// known to be at fault; else it is searched for by halves.
    pub(super) fn after(until: Checkpoint, events: usize, blamed: Option<usize>) -> Self {
        match blamed {
            Some(good) => Self {
                until,
                lot: good.max(1),
                then: Then::Single,
            },
            None => Self {
                until,
                lot: (events / 2).max(1),
                then: Then::Half,
            },
        }
    }

    /// One event at a time.
    pub(super) fn singly(until: Checkpoint) -> Self {
        Self {
            until,
            lot: 1,
            then: Then::Same,
        }
    }

    fn went_well(&mut self) {
        self.lot = match self.then {
            Then::Single => 1,
            Then::Half => (self.lot / 2).max(1),
            Then::Same => self.lot,
        };
    }
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
            Some(careful) => careful.lot,
            None => self.pacing.batch_events,
        };
        PageLimit {
            events,
            ..self.full_page()
        }
    }

    /// The most that is read or projected at once.
    pub(super) fn full_page(&self) -> PageLimit {
        PageLimit {
            events: self.pacing.batch_events,
            bytes: self.pacing.batch_bytes,
        }
    }

    /// Whether fewer events are being taken, as one is at fault.
    pub(super) fn is_careful(&self) -> bool {
        self.careful.is_some()
    }

    /// Goes carefully from here on.
    pub(super) fn be_careful(&mut self, careful: Careful) {
        self.careful = Some(careful);
    }

    /// The event at fault was found: the others can be taken as before.
    pub(super) fn found(&mut self) {
        self.careful = None;
    }

    /// Takes note of a batch that has been folded.
    pub(super) fn folded(&mut self, reached: &Checkpoint) {
        self.gathering_since.get_or_insert_with(Instant::now);
        if let Some(careful) = &mut self.careful {
            careful.went_well();
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
    fn what_is_before_the_event_that_is_blamed_goes_together() {
        let mut pace = Pace::new(Pacing::default(), None);
        assert_eq!(pace.page_limit().events, Pacing::default().batch_events);
        let until = Checkpoint::at(Position(10));
        pace.be_careful(Careful::after(until, 10, Some(7)));
        assert_eq!(pace.page_limit().events, 7);
        pace.folded(&Checkpoint::at(Position(7)));
        assert_eq!(pace.page_limit().events, 1);
        assert!(pace.must_commit(Gathered { rows: 1, bytes: 1 }, false));
        pace.folded(&Checkpoint::at(Position(10)));
        assert_eq!(pace.page_limit().events, Pacing::default().batch_events);
    }

    #[test]
    fn an_event_that_nothing_is_known_of_is_found_by_halves() {
        for (events, bad) in [(2, 1), (2, 2), (1000, 1), (1000, 700), (1000, 1000), (7, 6)] {
            let mut pace = Pace::new(Pacing::default(), None);
            let until = Checkpoint::at(Position(events));
            pace.be_careful(Careful::after(until.clone(), events as usize, None));
            let (mut at, mut tries) = (0, 1);
            loop {
                tries += 1;
                let lot = (pace.page_limit().events as u64).min(events - at);
                if at + lot < bad {
                    at += lot;
                    pace.folded(&Checkpoint::at(Position(at)));
                } else if lot == 1 {
                    break;
                } else {
                    pace.be_careful(Careful::after(until.clone(), lot as usize, None));
                }
            }
            assert_eq!(at + 1, bad, "all before it went well");
            let most = 2 + 2 * u64::from(events.ilog2());
            assert!(tries <= most, "{tries} tries for {bad} of {events}");
        }
    }
}

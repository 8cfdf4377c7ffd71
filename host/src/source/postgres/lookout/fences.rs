//! Fences: up to where all is settled once certain transactions have ended.
//!
//! See the lookout's module for why this is right. The rules here need no database.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::holders::Holder;
use crate::model::Timestamp;

/// The most fences at once. There are many only behind a long transaction; then
/// the newest is moved up instead, which waits for more than it must.
const MOST_FENCES: usize = 64;

/// Owners that are named when somebody asks what keeps the mark.
const MOST_NAMED: usize = 5;

/// A position, and the transactions that may bring one at or below it.
#[derive(Debug)]
pub(super) struct Fence {
    /// The position, seen before `owners` were read.
    pub(super) to: u64,
    /// Those that have not ended yet.
    pub(super) owners: HashSet<Holder>,
    /// How many there were at first.
    pub(super) writers: usize,
    /// When it was raised.
    pub(super) raised_at: Timestamp,
    raised: Instant,
}

impl Fence {
    /// Why a gap below a fallen fence stays one.
    pub(super) fn proof(&self) -> String {
        match self.writers {
            0 => "nobody was writing when it was first seen".into(),
            1 => "the only transaction that was writing when it was first seen has ended".into(),
            writers => format!(
                "the {writers} transactions that were writing when it was first seen have ended"
            ),
        }
    }

    /// Who may still fill a gap below it.
    pub(super) fn awaited(&self) -> String {
        if self.owners.is_empty() {
            return "whoever took a number outside the transaction that uses it".into();
        }
        let mut owners: Vec<_> = self.owners.iter().map(Holder::to_string).collect();
        owners.sort_unstable();
        let rest = owners.len().saturating_sub(MOST_NAMED);
        owners.truncate(MOST_NAMED);
        match rest {
            0 => owners.join(", "),
            rest => format!("{} and {rest} more", owners.join(", ")),
        }
    }
}

/// All fences, the lowest first. Owners of a fence that have not ended are owners of
/// all later ones, so fences fall in their order.
#[derive(Debug)]
pub(super) struct Fences {
    fences: VecDeque<Fence>,
    /// Prepared transactions when the holders were last read.
    prepared: HashSet<Holder>,
    /// Whether an owner ended since the last scan began.
    has_changed: bool,
    grace: Duration,
}

impl Fences {
    /// No fence yet. None will fall before it is as old as `grace`.
    pub(super) fn new(grace: Duration) -> Self {
        Self {
            fences: VecDeque::new(),
            prepared: HashSet::new(),
            has_changed: false,
            grace,
        }
    }

    /// Takes note of who is writing now.
    pub(super) fn update(&mut self, holders: &HashSet<Holder>) {
        let prepared: HashSet<_> = holders
            .iter()
            .filter(|h| h.is_prepared())
            .cloned()
            .collect();
        for fence in &mut self.fences {
            let sessions = |fence: &Fence| fence.owners.iter().filter(|h| !h.is_prepared()).count();
            let (all_before, sessions_before) = (fence.owners.len(), sessions(fence));
            fence.owners.retain(|owner| holders.contains(owner));
            self.has_changed |= fence.owners.len() < all_before;
            if sessions(fence) < sessions_before {
                // Whoever has left its session may have become any of these. Only
                // sessions become one, so this comes to an end.
                fence
                    .owners
                    .extend(prepared.difference(&self.prepared).cloned());
            }
        }
        self.prepared = prepared;
    }

    /// Raises a fence at a position that was seen before `holders` were read. They
    /// must be those of the last [`update`](Self::update).
    pub(super) fn raise(&mut self, to: u64, holders: HashSet<Holder>) {
        if self.fences.len() == MOST_FENCES {
            self.fences.pop_back();
        }
        self.fences.push_back(Fence {
            to,
            writers: holders.len(),
            owners: holders,
            raised_at: Timestamp::now(),
            raised: Instant::now(),
        });
    }

    /// Up to where nothing can appear any more, as far as fences tell.
    pub(super) fn fallen(&self) -> u64 {
        let is_down =
            |fence: &&Fence| fence.owners.is_empty() && fence.raised.elapsed() >= self.grace;
        self.fences
            .iter()
            .take_while(is_down)
            .last()
            .map_or(0, |fence| fence.to)
    }

    /// The first fence at or above a position.
    pub(super) fn around(&self, position: u64) -> Option<&Fence> {
        self.fences.iter().find(|fence| fence.to >= position)
    }

    /// The position of the highest fence, 0 when there is none.
    pub(super) fn top(&self) -> u64 {
        self.fences.back().map_or(0, |fence| fence.to)
    }

    /// Removes the fences that the mark has passed.
    pub(super) fn remove_to(&mut self, mark: u64) {
        self.fences.retain(|fence| fence.to > mark);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fences.is_empty()
    }

    /// Whether an owner has ended since this was asked last.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(pid: i32) -> Holder {
        Holder::Session {
            transaction: format!("{pid}/1"),
            pid,
        }
    }

    fn prepared(id: &str) -> Holder {
        Holder::Prepared(id.into())
    }

    fn raised(fences: &mut Fences, to: u64, holders: &[Holder]) {
        update(fences, holders);
        fences.raise(to, holders.iter().cloned().collect());
    }

    fn update(fences: &mut Fences, holders: &[Holder]) {
        fences.update(&holders.iter().cloned().collect());
    }

    #[test]
    fn a_fence_falls_when_its_owners_have_ended_and_not_for_later_ones() {
        let mut fences = Fences::new(Duration::ZERO);
        raised(&mut fences, 5, &[session(1), session(2)]);
        raised(&mut fences, 9, &[session(2), session(3)]);
        assert_eq!(fences.fallen(), 0);
        update(&mut fences, &[session(3), session(4)]);
        assert_eq!(fences.fallen(), 5);
        update(&mut fences, &[session(4)]);
        assert_eq!(fences.fallen(), 9);
    }

    #[test]
    fn a_fence_falls_no_earlier_than_its_grace() {
        let mut fences = Fences::new(Duration::from_millis(30));
        raised(&mut fences, 5, &[]);
        assert_eq!(fences.fallen(), 0);
        std::thread::sleep(Duration::from_millis(31));
        assert_eq!(fences.fallen(), 5);
    }

    #[test]
    fn who_leaves_its_session_may_have_been_prepared() {
        let mut fences = Fences::new(Duration::ZERO);
        raised(&mut fences, 5, &[session(1), prepared("7")]);
        update(&mut fences, &[prepared("7"), prepared("8")]);
        update(&mut fences, &[prepared("8"), prepared("9")]);
        assert_eq!(fences.fallen(), 0, "8 may be what session 1 was");
        update(&mut fences, &[prepared("9")]);
        assert_eq!(fences.fallen(), 5, "9 cannot: session 1 had left before");
    }

    #[test]
    fn there_are_no_more_fences_than_allowed() {
        let mut fences = Fences::new(Duration::ZERO);
        for to in 1..=1000 {
            raised(&mut fences, to, &[session(1), session(to as i32 + 1)]);
        }
        assert_eq!((fences.fences.len(), fences.top()), (MOST_FENCES, 1000));
        update(&mut fences, &[session(1001)]);
        assert_eq!(fences.fallen(), MOST_FENCES as u64 - 1);
    }
}

//! Randomness that can be repeated: the seed is printed, and taken from
//! `LANTERN_SEED` when that is set.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::time::Duration;

/// A source of random numbers.
#[derive(Debug)]
pub(crate) struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// One with the seed of this run.
    pub(crate) fn new() -> Self {
        let given = std::env::var("LANTERN_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
        Self {
            seed,
            state: seed | 1,
        }
    }

    /// Another one, for a thread of its own: its numbers follow from this one's
    /// seed.
    pub(crate) fn fork(&mut self, n: u64) -> Self {
        let state = self.number(0..u64::MAX).wrapping_add(n);
        Self {
            seed: self.seed,
            state,
        }
    }

    /// What to set `LANTERN_SEED` to for the same numbers again.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number in a range: splitmix64, of which small ranges see no bias.
    pub(crate) fn number(&mut self, range: Range<u64>) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
    }

    /// A time in a range of milliseconds, to the microsecond.
    pub(crate) fn time(&mut self, millis: Range<u64>) -> Duration {
        Duration::from_micros(self.number(millis.start * 1_000..millis.end * 1_000))
    }
}

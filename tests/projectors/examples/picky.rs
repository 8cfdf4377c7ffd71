//! Panics over a poisonous event.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// A counter.
#[derive(Table)]
#[table(name = "picky_counters")]
pub struct Counter {
    /// Its stream.
    #[key]
    pub name: String,
    /// What it has come to.
    pub total: i64,
    /// How many events it has seen.
    pub events: i64,
}

/// Keeps `picky_counters`.
#[projector(name = "picky", version = "1.0.0", tables(Counter), needs(streams))]
pub fn picky(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { by, poison } = event.data;
    assert!(!poison, "poison in {}", event.stream);
    rows.increment(Counter::key(&event.stream))
        .by(Counter::total, by)
        .by(Counter::events, 1);
}

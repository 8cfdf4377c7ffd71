//! The first try of `counter_v2`, which cannot read the log: its rebuild fails.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// A counter.
#[derive(Table)]
#[table(name = "counters", index(total desc))]
pub struct Counter {
    /// Its stream.
    #[key]
    pub name: String,
    /// What it has come to.
    pub total: i64,
    /// How often it went up.
    pub events: i64,
    /// The largest step.
    pub largest: i64,
    /// Which component wrote the row last.
    pub written_by: String,
}

/// Would keep `counters`.
#[projector(name = "counter", version = "2.0.0", tables(Counter), needs(streams))]
pub fn counter(event: Event<Counting>, _rows: &mut Rows) -> Result<()> {
    bail!("version 2 does not know {}", event.stream)
}

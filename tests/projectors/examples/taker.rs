//! Another projector, which wants the table of `counter_v1`.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// What is not its own.
#[derive(Table)]
#[table(name = "counters")]
pub struct Counter {
    /// Its stream.
    #[key]
    pub name: String,
    /// How many events it has seen.
    pub events: i64,
}

/// Would keep `counters`.
#[projector(name = "taker", version = "1.0.0", tables(Counter), needs(streams))]
pub fn taker(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { .. } = event.data;
    rows.increment(Counter::key(&event.stream))
        .by(Counter::events, 1);
}

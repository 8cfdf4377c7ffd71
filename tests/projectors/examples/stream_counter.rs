//! Counts each stream's events apart, without ever looking at stream or tenant.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// A counter of one tenant's stream.
#[derive(Table)]
#[table(name = "stream_counters", tenant_keyed, stream_keyed)]
pub struct Counter {
    /// What is counted.
    #[key]
    pub name: String,
    /// What it has come to.
    pub total: i64,
}

/// Keeps `stream_counters`.
#[projector(name = "stream_counter", version = "1.0.0", tables(Counter))]
pub fn stream_counter(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { by, .. } = event.data;
    rows.increment(Counter::key("events"))
        .by(Counter::total, by);
}

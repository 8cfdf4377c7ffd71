//! Counts each tenant's events apart, without ever looking at the tenant.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// A counter of one tenant.
#[derive(Table)]
#[table(name = "tenant_counters", tenant_keyed)]
pub struct Counter {
    /// Its stream.
    #[key]
    pub name: String,
    /// What it has come to.
    pub total: i64,
}

/// Keeps `tenant_counters`.
#[projector(
    name = "tenant_counter",
    version = "1.0.0",
    tables(Counter),
    needs(streams)
)]
pub fn tenant_counter(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { by, .. } = event.data;
    rows.increment(Counter::key(&event.stream))
        .by(Counter::total, by);
}

//! Counts as `counter_v1` does, and signs its rows differently: same version, same
//! tables, other bytes.

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
    /// Which component wrote the row last.
    pub written_by: String,
}

/// Keeps `counters`.
#[projector(name = "counter", version = "1.0.0", tables(Counter), needs(streams))]
pub fn counter(event: Event<Counting>, rows: &mut Rows) -> Result<()> {
    let Counting::Increased { by, .. } = event.data;
    let row = rows.get(Counter::key(&event.stream))?;
    rows.upsert(&Counter {
        name: event.stream.to_string(),
        total: row.as_ref().map_or(0, |row| row.total) + by,
        events: row.as_ref().map_or(0, |row| row.events) + 1,
        written_by: "v1 fixed".into(),
    });
    Ok(())
}

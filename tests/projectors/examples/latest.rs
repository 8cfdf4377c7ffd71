//! Keeps the latest state of each counter, whatever comes late or twice: `by` is
//! the version.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// A counter.
#[derive(Table)]
#[table(name = "latest", guarded)]
pub struct Latest {
    /// Its stream.
    #[key]
    pub name: String,
    /// The version it is at.
    pub at: i64,
}

/// Keeps `latest`.
#[projector(name = "latest", version = "1.0.0", tables(Latest), needs(streams))]
pub fn latest(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { by, .. } = event.data;
    let row = Latest {
        name: event.stream.to_string(),
        at: by,
    };
    rows.upsert(&row).guard(by as u64);
}

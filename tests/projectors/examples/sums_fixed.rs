//! Like `sums`, but bears every event.

use lantern_sdk::prelude::*;
use test_projectors::Changing;

/// An entity.
#[derive(Table)]
#[table(name = "sums")]
pub struct Sum {
    /// Its name.
    #[key]
    pub name: String,
    /// What it has come to.
    pub total: Option<i64>,
    /// What was noted last.
    pub note: Option<String>,
}

/// Keeps `sums`.
#[projector(
    name = "sums",
    version = "1.0.0",
    tables(Sum),
    order(entity = "$.entity", version = "$.version")
)]
pub fn sums(event: Event<Changing>, rows: &mut Rows) {
    test_projectors::change!(event, rows, Sum);
}

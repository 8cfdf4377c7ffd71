//! Gives each stream a number that no other may have.

use lantern_sdk::prelude::*;
use test_projectors::Counting;

/// Who has which number.
#[derive(Table)]
#[table(name = "seats", unique(number))]
pub struct Seat {
    /// The stream.
    #[key]
    pub name: String,
    /// Its number.
    pub number: i64,
}

/// Keeps `seats`. It looks at nothing, so that only the index can refuse.
#[projector(name = "seats", version = "1.0.0", tables(Seat), needs(streams))]
pub fn seats(event: Event<Counting>, rows: &mut Rows) {
    let Counting::Increased { by, .. } = event.data;
    rows.upsert(&Seat {
        name: event.stream.to_string(),
        number: by,
    });
}

//! Gives each entity a number that no other may have, in strict order; panics over a
//! poisonous event.

use lantern_sdk::prelude::*;
use test_projectors::Changing;

/// Who has which number.
#[derive(Table)]
#[table(name = "ordered_seats", unique(number))]
pub struct Seat {
    /// The entity.
    #[key]
    pub name: String,
    /// Its number.
    pub number: i64,
}

/// Keeps `ordered_seats`. It looks at nothing, so that only the index can refuse.
#[projector(
    name = "ordered_seats",
    version = "1.0.0",
    tables(Seat),
    order(entity = "$.entity", version = "$.version")
)]
pub fn ordered_seats(event: Event<Changing>, rows: &mut Rows) {
    assert!(!event.data.is_poisonous(), "poison");
    let Changing::Changed { entity, add, .. } = event.data;
    rows.upsert(&Seat {
        name: entity,
        number: add,
    });
}

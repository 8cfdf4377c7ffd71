//! Sends a value of a kind that there is not. Stopped: "not the tag of a value".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    *rows.cells.tags.last_mut().unwrap() = 99;
});

//! Sends a text that ends past the last byte. Stopped: "past the last byte".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    *rows.cells.text_ends.last_mut().unwrap() = u32::MAX;
});

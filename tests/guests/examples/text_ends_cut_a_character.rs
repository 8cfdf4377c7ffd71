//! Sends a text that ends in the middle of a character. Stopped: "cut a character in two".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note_with(event, column::NOTE, Value::Text("é"));
    *rows.cells.text_ends.last_mut().unwrap() -= 1;
});

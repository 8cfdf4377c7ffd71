//! Sends a text that ends before it begins. Stopped: "do not ascend".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    rows.note(event, -2);
    let texts = rows.cells.text_ends.len();
    rows.cells.text_ends[texts - 1] = rows.cells.text_ends[texts - 2] - 1;
});

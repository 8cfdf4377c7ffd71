//! Sends a text for a column of integers. Stopped: "cannot hold the text".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::AMOUNT, Value::Text("many")));

//! Sends a decimal number that is none. Stopped: "not a valid decimal".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::PRICE, Value::Text("12,50 EUR")));

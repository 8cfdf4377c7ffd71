//! Sends what is not a number. Stopped: "NaN".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::SHARE, Value::Float(f64::NAN)));

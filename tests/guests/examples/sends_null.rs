//! Sends null for a column that must not be null. Stopped: "would be null".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::NOTE, Value::Null));

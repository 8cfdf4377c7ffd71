//! Sends a time that no clock shows. Stopped: "not a valid timestamp".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::MOMENT, Value::Text("2026-02-30T25:61:00Z")));

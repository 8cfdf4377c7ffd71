//! Sends a UUID that is none. Stopped: "not a valid uuid".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::REFERENCE, Value::Text("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz")));

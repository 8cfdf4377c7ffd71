//! Sends a JSON document that is none. Stopped: "not a valid json".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::DOCUMENT, Value::Text("{\"open\":")));

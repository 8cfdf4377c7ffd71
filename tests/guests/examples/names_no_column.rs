//! Names a column that it has not declared. Stopped: "column 65535".
use misbehaving::{Add, Value, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, u16::MAX, Value::Integer(1)));

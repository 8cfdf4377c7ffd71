//! Sets a column that is part of the key. Stopped: "part of the key".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| rows.note_with(event, column::POSITION, Value::Integer(1)));

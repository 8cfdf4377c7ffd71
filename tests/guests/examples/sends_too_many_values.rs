//! Sends a value that no command calls for. Stopped: "more columns or values".
use misbehaving::{Add, Put, Value, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    rows.cells.put(Value::Integer(1));
});

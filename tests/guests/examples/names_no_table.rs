//! Names a table that it has not declared. Stopped: "table 7".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    *rows.tables.last_mut().unwrap() = 7;
});

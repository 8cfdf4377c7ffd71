//! Sends an operation that there is not. Stopped: "200 is not an operation".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    *rows.ops.last_mut().unwrap() = 200;
});

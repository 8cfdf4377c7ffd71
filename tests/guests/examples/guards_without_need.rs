//! Sends an entity version for a table that has none. Stopped: "not declared as guarded".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    rows.guards = vec![1; rows.ops.len()];
});

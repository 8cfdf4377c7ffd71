//! Makes one large row and reads it a thousand times at once, so that the answer
//! is a thousand times what it sent.
use misbehaving::{Add, Value, column, get, integer_keys, misbehave, no_commands};

misbehave!(at_poison: |event, _| {
    let mut large = no_commands();
    large.note_with(event, column::NOTE, Value::Text(&"x".repeat(1 << 20)));
    get(&large, 0, 1_000, &integer_keys([-1; 1_000]))
});

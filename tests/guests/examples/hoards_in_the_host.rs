//! Hands large rows over with every read, so that they pile up in the host and not in itself.
use misbehaving::{Add, Op, Value, column, get, integer_keys, misbehave, no_commands};

misbehave!(at_poison: |event, _| {
    let text = "x".repeat(4 << 20);
    for n in 1..=200 {
        let mut large = no_commands();
        large.add(Op::Upsert, event, &[Value::Integer(-n)], &[(column::NOTE, Value::Text(&text))]);
        get(&large, 0, 0, &integer_keys([]));
    }
});

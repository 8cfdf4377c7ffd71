//! Adds until the sum no longer fits. Stopped: "out of the range".
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    for _ in 0..2 {
        rows.add(Op::Increment, event, &[Value::Integer(-1)], &[(column::AMOUNT, Value::Integer(i64::MAX))]);
    }
});

//! Adds to a column of text. Stopped: "cannot be incremented".
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    rows.add(Op::Increment, event, &[Value::Integer(-1)], &[(column::NOTE, Value::Text("more"))]);
});

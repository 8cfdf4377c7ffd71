//! Deletes a row and gives it values. Stopped: "is a delete and carries values".
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.add(Op::Delete, event, &[Value::Integer(-1)], &[(column::AMOUNT, Value::Integer(1))]);
});

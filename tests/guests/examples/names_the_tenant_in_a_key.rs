//! Puts another tenant's name before its key, as the table has it. Stopped: the key is that of the
//! declared columns.
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(
    describes: |mut usual| {
        usual.tables[0].tenant_keyed = true;
        usual
    },
    at_poison: |event, rows| {
        let key = [Value::Text("b"), Value::Integer(12)];
        rows.add(Op::Upsert, event, &key, &[(column::NOTE, Value::Text("robbed"))]);
    }
);

//! Patches the column after its last, as many as the table has with the tenant's. Stopped: it has
//! declared none there.
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(
    describes: |mut usual| {
        usual.tables[0].tenant_keyed = true;
        usual
    },
    at_poison: |event, rows| {
        let set = [(column::DOCUMENT + 1, Value::Text("b"))];
        rows.add(Op::Patch, event, &[Value::Integer(11)], &set);
    }
);

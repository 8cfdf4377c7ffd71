//! Asks for another tenant's row, with the tenant's name before the key. Stopped: "a read of rows is
//! wrong".
use misbehaving::{Add, Put, Value, get, misbehave, no_cells};

misbehave!(
    describes: |mut usual| {
        usual.tables[0].tenant_keyed = true;
        usual
    },
    at_poison: |event, rows| {
        let mut keys = no_cells();
        keys.put(Value::Text("b"));
        keys.put(Value::Integer(12));
        let found = get(rows, 0, 1, &keys);
        *rows = misbehaving::no_commands();
        rows.note(event, i64::from(found.present[0]));
    }
);

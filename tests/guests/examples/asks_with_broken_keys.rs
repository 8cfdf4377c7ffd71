//! Reads rows by keys of the wrong type. Stopped: "a read of rows is wrong".
use misbehaving::{Put, Value, get, misbehave, no_cells, no_commands};

misbehave!(at_poison: |_, _| {
    let mut keys = no_cells();
    keys.put(Value::Text("first"));
    get(&no_commands(), 0, 1, &keys)
});

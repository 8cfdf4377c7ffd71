//! Reads a table that it has not declared. Stopped: "table 3".
use misbehaving::{get, integer_keys, misbehave, no_commands};

misbehave!(at_poison: |_, _| get(&no_commands(), 3, 1, &integer_keys([1])));

//! Says that four billion keys follow, and gives two. Stopped: "asked for 4294967295 rows".
use misbehaving::{get, integer_keys, misbehave, no_commands};

misbehave!(at_poison: |_, _| get(&no_commands(), 0, u32::MAX, &integer_keys([1, 2])));

//! Reads a million rows that there are not, over and over.
use misbehaving::{get, integer_keys, misbehave, no_commands};

misbehave!(at_poison: |_, _| for round in 0.. {
    let first = round * 1_000_000;
    get(&no_commands(), 0, 1_000_000, &integer_keys(first..first + 1_000_000));
});

//! Reads rows while it says what it is, before there are any. Refused.
use misbehaving::{get, integer_keys, misbehave, no_commands};

misbehave!(describes: |usual| {
    get(&no_commands(), 0, 1, &integer_keys([1]));
    usual
});

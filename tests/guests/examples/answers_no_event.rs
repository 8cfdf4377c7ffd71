//! Sends a command that answers an event which it was not given.
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |_, rows| rows.note(u32::MAX, -1));

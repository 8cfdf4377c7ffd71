//! Writes two hundred thousand lines, as many as fit into its time on a slow machine. Harmless:
//! a thousand are kept, the rest is counted.
use misbehaving::{Level, log, misbehave};

misbehave!(at_poison: |event, _| (0..200_000).for_each(|_| log(Level::Error, event, "flood")));

//! Sends ten million commands, as far as that fits into its memory. Stopped: "limits.commands".
use misbehaving::misbehave;

misbehave!(at_poison: |_, rows| rows.ops = vec![3; 10_000_000]);

//! Writes a line of ten megabytes. Harmless: its beginning is kept.
use misbehaving::{Level, log, misbehave};

misbehave!(at_poison: |event, _| log(Level::Warn, event, &"long line ".repeat(1 << 20)));

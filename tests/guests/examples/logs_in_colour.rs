//! Writes control sequences of a terminal, and a line that looks like the host's. Harmless.
use misbehaving::{Level, log, misbehave};

misbehave!(at_poison: |_, _| {
    log(Level::Info, u32::MAX, "\u{1b}[2J\u{1b}]0;owned\u{7}colour \u{9b}31m");
    log(Level::Info, u32::MAX, "first\n2026-01-01T00:00:00Z ERROR forged by a guest");
});

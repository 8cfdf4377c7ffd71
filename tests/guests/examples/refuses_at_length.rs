//! Returns an error of ten megabytes, full of control sequences. Stopped: the beginning of it, harmless.
use misbehaving::{Failure, misbehave};

misbehave!(refuses: |event| Failure { event, message: "\u{1b}[2Jno! ".repeat(10 << 17) });

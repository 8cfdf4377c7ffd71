//! Returns an error that names the event. Stopped: its words.
use misbehaving::{Failure, misbehave};

misbehave!(refuses: |event| Failure { event, message: "no such order: o-17".into() });

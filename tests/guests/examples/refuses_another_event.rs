//! Returns an error that names an event which it was not given. Stopped: at the poison all the same.
use misbehaving::{Failure, misbehave};

misbehave!(refuses: |_| Failure { event: u32::MAX, message: "it was another".into() });

//! Sends lists that should be of one length and are not. Stopped: "different lengths".
use misbehaving::{Add, misbehave};

misbehave!(at_poison: |event, rows| {
    rows.note(event, -1);
    rows.events.pop();
});

//! Sends a text that is not UTF-8. Stopped: "utf-8".
use misbehaving::{Add, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    let text = unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe, b'z']) };
    rows.note_with(event, column::NOTE, Value::Text(&text));
});

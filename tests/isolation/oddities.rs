//! What lies in a folder of projectors and is none: components that no SDK
//! would make, written as text in `tests/guests/wat`, and files that are not
//! even that.

use std::fs;

use crate::harness::components::guest;
use crate::harness::places::root;

/// The bytes of a misbehaving guest: an oddity, or one that was built.
pub(super) fn bytes(name: &str) -> Vec<u8> {
    match name {
        "is_empty" => Vec::new(),
        "is_a_text" => b"To whom it may concern: this is no component.\n".to_vec(),
        "is_cut_off" => {
            let mut whole = built("panics");
            whole.truncate(whole.len() / 2);
            whole
        }
        _ => written(name).unwrap_or_else(|| built(name)),
    }
}

fn written(name: &str) -> Option<Vec<u8>> {
    let file = root().join("tests/guests/wat").join(format!("{name}.wat"));
    file.exists()
        .then(|| wat::parse_file(&file).expect("the text is sound"))
}

fn built(name: &str) -> Vec<u8> {
    fs::read(guest(name)).expect("a component can be read")
}

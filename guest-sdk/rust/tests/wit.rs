//! The SDK carries a copy of the interface, so that it can be vendored whole.

use std::fs;
use std::path::Path;

#[test]
fn the_copy_of_the_interface_is_the_interface() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = here.join("../../wit");
    if !original.join("projector.wit").exists() {
        eprintln!("skipped: this copy of the SDK stands alone");
        return;
    }
    for file in ["types.wit", "host.wit", "projector.wit"] {
        let read = |folder: &Path| fs::read_to_string(folder.join(file)).expect(file);
        assert!(
            read(&original) == read(&here.join("wit")),
            "guest-sdk/rust/wit/{file} differs from wit/{file}; copy it again"
        );
    }
}

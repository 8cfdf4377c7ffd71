//! Components, built once in a test run by the project's own toolchain.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lantern::toolchain::{BuildRequest, InstallPolicy, build};

use super::places::{root, test_components_dir};

/// The file of an example or of one of the tests' projectors, such as `orders`
/// or `counter_v1`.
pub(crate) fn component(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let dir = test_components_dir();
        build_into(&dir, &root().join("examples"), false);
        build_into(&dir, &root().join("tests/projectors"), true);
        dir
    });
    found(dir, name)
}

/// The file of a misbehaving guest of `tests/guests`.
pub(crate) fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let dir = test_components_dir().join("guests");
        build_into(&dir, &root().join("tests/guests"), true);
        dir
    });
    found(dir, name)
}

fn found(dir: &Path, name: &str) -> PathBuf {
    let file = dir.join(format!("{name}.wasm"));
    assert!(
        file.exists(),
        "there is no component `{name}`: has it been renamed?"
    );
    file
}

/// Builds a folder's components. The lock is for other test runs at the same
/// time; within this one it is done once anyhow.
fn build_into(out_dir: &Path, manifest_dir: &Path, include_examples: bool) {
    std::fs::create_dir_all(out_dir).expect("the target folder can be written to");
    let lock = File::create(out_dir.join(".lock")).expect("the target folder can be written to");
    lock.lock().expect("a file can be locked");
    let request = BuildRequest {
        manifest_dir: manifest_dir.to_owned(),
        out_dir: out_dir.to_owned(),
        package: None,
        include_examples,
        install: InstallPolicy::Never,
        progress: &|_| {},
    };
    if let Err(error) = build(&request) {
        let hint = error.hint().unwrap_or_default();
        panic!(
            "the components in {} cannot be built: {error}\n{hint}",
            manifest_dir.display()
        );
    }
}

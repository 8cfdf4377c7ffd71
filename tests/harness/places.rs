//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The checkout.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        tests
            .parent()
            .expect("the tests are in a folder of the checkout")
            .to_owned()
    })
}

/// The folder of the profile that this very test was built with, as in
/// `target/debug`.
pub(crate) fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a running program knows its file");
    let deps = test.parent().expect("a file is in a folder");
    deps.parent()
        .expect("cargo puts tests into `deps`")
        .to_owned()
}

/// Where components for tests are put.
pub(crate) fn test_components_dir() -> PathBuf {
    profile_dir().with_file_name("test-components")
}

/// The binary, of the same profile as this test. Cargo does not build it along
/// with a test of another package, so it is brought up to date here: a test of
/// yesterday's binary would tell lies. `LANTERN_TEST_BINARY` names one that is
/// to be tested as it is.
pub(crate) fn lantern() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("LANTERN_TEST_BINARY") {
        Some(binary) => binary.into(),
        None => {
            build_binary();
            profile_dir().join("lantern")
        }
    })
}

fn build_binary() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root())
        .args(["build", "--quiet", "-p", "lantern", "--bin", "lantern"]);
    cargo
        .arg("--target-dir")
        .arg(profile_dir().with_file_name(""));
    if profile_dir().ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo says of this test's own package would have build scripts run again
    // that watch it, and half of the dependencies be compiled anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .output()
        .expect("cargo runs, as it has built this test");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(
        built.status.success(),
        "the binary `lantern` could not be built:\n{said}"
    );
}

//! What every test stands on.
//!
//! - `host`: a Lantern of one's own: a folder, the real binary as a process in
//!   it, commands from a second terminal.
//! - `components`: the examples and the tests' projectors, built once by the
//!   project's own toolchain.
//! - `events`: what goes in. `rows`: what a reader sees. `real_log`: the large
//!   log, where there is one.
//! - `places`, `chance`: where things are; randomness that can be repeated.
//!
//! Nothing here says what is right; that is for the tests.

#![allow(dead_code, reason = "a harness offers more than any one test takes")]

pub(crate) mod chance;
pub(crate) mod components;
pub(crate) mod events;
pub(crate) mod host;
pub(crate) mod places;
pub(crate) mod real_log;
pub(crate) mod rows;

pub(crate) use chance::Chance;
pub(crate) use components::component;
pub(crate) use events::Events;
pub(crate) use host::TestHost;
pub(crate) use rows::{Reader, assert_rows};

use std::io::Write;

/// Says that a test could not be done here, and why. Written past the test
/// runner, which keeps to itself what a passing test prints.
pub(crate) fn skipped(test: &str, why: &str) {
    // Nothing can be done when even this cannot be written.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

/// Tells how a test went, past the test runner.
pub(crate) fn told(test: &str, what: &str) {
    let _ = writeln!(std::io::stderr(), "{test}: {what}");
}

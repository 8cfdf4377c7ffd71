//! What every test stands on.
//!
//! - `host`: a Lantern of one's own: a folder, the real binary as a process in
//!   it, commands from a second terminal (`said`: what they answer; `waiting`:
//!   until something is so).
//! - `components`: the examples and the tests' projectors, built once by the
//!   project's own toolchain.
//! - `events`: what goes in. `event_table`: the tables of other tools, and
//!   `writers` that append to them side by side.
//! - `rows`: what a reader sees. `real_log`: the large log, where there is one.
//! - `store`: which kind of store a Lantern works on, and tests that are run on
//!   each. `counted`: a host in PostgreSQL that counts, and whether it is right.
//! - `places`, `chance`: where things are; randomness that can be repeated.
//!
//! Nothing here says what is right; that is for the tests.

#![allow(dead_code, reason = "a harness offers more than any one test takes")]

pub(crate) mod chance;
pub(crate) mod components;
pub(crate) mod counted;
pub(crate) mod event_table;
pub(crate) mod events;
pub(crate) mod host;
pub(crate) mod places;
pub(crate) mod real_log;
pub(crate) mod rows;
pub(crate) mod said;
pub(crate) mod store;
pub(crate) mod waiting;
pub(crate) mod writers;

pub(crate) use chance::Chance;
pub(crate) use components::component;
pub(crate) use events::Events;
pub(crate) use host::TestHost;
pub(crate) use rows::{Reader, assert_rows};
pub(crate) use store::{Store, on_each_store};

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

//! Waiting until something is so. No test measures time.

use std::time::{Duration, Instant};

use super::host::TestHost;

/// How long anything is waited for before a test gives up; this only turns a hang
/// into a failure. The long forms leave hundreds of thousands of events to catch up
/// with.
pub(super) fn patience() -> Duration {
    match crate::promises::is_torture() {
        true => Duration::from_secs(600),
        false => Duration::from_secs(90),
    }
}
/// How often one looks while waiting.
pub(super) const LOOK: Duration = Duration::from_millis(25);

impl TestHost {
    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            if begun.elapsed() > patience() {
                panic!("waited in vain until {what}\nstatus: {:#}", self.status());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until a query gives a number.
    pub(crate) fn until_number(&self, sql: &str, expected: i64) {
        self.until(&format!("`{sql}` is {expected}"), || {
            self.number(sql) == Some(expected)
        });
    }

    /// Waits until a projector is in a state.
    pub(crate) fn until_state(&self, name: &str, state: &str) {
        self.until(&format!("{name} is {state}"), || {
            self.projector_status(name)["state"] == state
        });
    }

    /// Waits until readers see a version.
    pub(crate) fn until_version(&self, name: &str, version: &str) {
        self.until(&format!("{name} is at {version}"), || {
            self.projector_status(name)["version"] == version
        });
    }

    /// Waits until a host of this folder has logged something.
    pub(crate) fn until_logged(&self, part: &str) {
        self.until(&format!("the log says `{part}`"), || {
            self.log().contains(part)
        });
    }

    /// Waits until a file is refused, and gives the reason.
    pub(crate) fn until_refused(&self, file: &str) -> String {
        let mut reason = String::new();
        self.until(&format!("{file} is refused"), || {
            reason = self.refusal(file);
            !reason.is_empty()
        });
        reason
    }
}

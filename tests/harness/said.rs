//! What commands say.

use std::process::Output;

use serde_json::Value;

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The exit code; -1 for a signal.
    pub(crate) code: i32,
    /// Results.
    pub(crate) out: String,
    /// Everything else.
    pub(crate) err: String,
}

impl Said {
    /// Asserts that it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended_with(0)
    }

    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n---- stdout\n{}---- stderr\n{}",
            self.out, self.err
        );
        self
    }

    /// The result, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.out))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

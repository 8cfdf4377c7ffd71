//! How a failure is told, and which exit code it has.

use std::path::Path;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::operations::{ErrorClass, OperationError, ToolchainError};
use crate::telemetry::causes;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum CliError {
    /// Something to tell the user.
    Told {
        /// Whose affair it is.
        class: ErrorClass,
        /// What happened, with its causes.
        error: anyhow::Error,
        /// What to do next.
        hint: Option<String>,
    },
    /// Whoever read our output has seen enough, as `head` does. No failure.
    OutputClosed,
}

/// The exit code of wrong usage, which is also clap's.
const USAGE: u8 = 2;
/// `EX_SOFTWARE` of sysexits: a bug.
const BUG: u8 = 70;

impl CliError {
    /// The request or the input is wrong.
    pub(super) fn user(text: impl Into<String>, hint: impl Into<String>) -> Self {
        let (text, hint): (String, String) = (text.into(), hint.into());
        Self::Told {
            class: ErrorClass::User,
            error: anyhow::Error::msg(text),
            hint: Some(hint),
        }
    }

    /// The environment did not let us.
    pub(super) fn environment(text: impl Into<String>, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into().context(text.into());
        Self::Told {
            class: ErrorClass::Environment,
            error,
            hint: None,
        }
    }

    /// A file could not be read or written. That there is none of this name is
    /// for the user to mend.
    pub(super) fn file(action: &str, path: &Path, error: std::io::Error) -> Self {
        let class = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorClass::User,
            _ => ErrorClass::Environment,
        };
        let error =
            anyhow::Error::new(error).context(format!("cannot {action} {}", path.display()));
        Self::Told {
            class,
            error,
            hint: None,
        }
    }

    /// Writing a result failed.
    pub(super) fn output(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::environment("cannot write the output", error),
        }
    }

    /// Prints the error to stderr and returns the exit code.
    pub(super) fn report(self) -> ExitCode {
        let Self::Told { class, error, hint } = self else {
            return ExitCode::SUCCESS;
        };
        let hint = hint.or_else(|| (class == ErrorClass::Bug).then(|| BUG_HINT.to_owned()));
        eprint!("{}", told(&causes(error.as_ref()), hint.as_deref()));
        ExitCode::from(exit_code(class))
    }
}

const BUG_HINT: &str = "this is a bug in lantern; please report it with the lines above";

fn exit_code(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::User => 1,
        ErrorClass::Environment => 3,
        ErrorClass::Bug => BUG,
    }
}

fn told(causes: &[String], hint: Option<&str>) -> String {
    let mut text = String::new();
    for (i, cause) in causes.iter().enumerate() {
        let label = if i == 0 { "error: " } else { "  because: " };
        text.push_str(&labelled(label, cause));
    }
    text + &hint
        .map(|hint| labelled("hint: ", hint))
        .unwrap_or_default()
}

/// A text of one or more lines, the later ones under the first.
fn labelled(label: &str, text: &str) -> String {
    let margin = " ".repeat(label.len());
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(super::output::printable)
        .collect();
    format!("{label}{}\n", lines.join(&format!("\n{margin}")))
}

/// Prints what clap has to say: wrong usage, help, the version.
pub(super) fn report_usage(usage: &clap::Error) -> ExitCode {
    // Nothing can be done when even this cannot be written.
    let _ = usage.print();
    if usage.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Ends after a panic, which has been printed already.
pub(super) fn report_panic() -> ExitCode {
    eprint!("{}", told(&["lantern panicked".into()], Some(BUG_HINT)));
    ExitCode::from(BUG)
}

impl From<OperationError> for CliError {
    fn from(error: OperationError) -> Self {
        Self::Told {
            class: error.class(),
            hint: error.hint(),
            error: error.into(),
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Told {
            class: ErrorClass::User,
            hint: error.hint(),
            error: error.into(),
        }
    }
}

impl From<ToolchainError> for CliError {
    fn from(error: ToolchainError) -> Self {
        use ToolchainError as E;
        let class = match &error {
            E::NoCompiler { .. } | E::Run { .. } | E::File { .. } => ErrorClass::Environment,
            _ => ErrorClass::User,
        };
        Self::Told {
            class,
            hint: error.hint().map(str::to_owned),
            error: error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_the_hint_each_on_its_own_line() {
        let causes = ["cannot append".to_owned(), "disk full\nreally".to_owned()];
        assert_eq!(
            told(&causes, Some("make room")),
            "error: cannot append\n  because: disk full\n           really\nhint: make room\n"
        );
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let closed = CliError::output(std::io::ErrorKind::BrokenPipe.into());
        assert!(matches!(closed, CliError::OutputClosed));
    }
}

//! What can be wrong with what the user said.

use std::path::PathBuf;

use super::resolve::Origin;
use crate::model::InvalidName;

/// Why there are no settings. All of it is for the user to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings in {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line} is not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting `{key}`")]
    UnknownKey {
        /// What was written.
        key: String,
        /// Where.
        origin: Origin,
        /// The setting that may have been meant.
        nearest: Option<String>,
    },
    /// What is said of a single projector cannot be said of one.
    #[error("{origin}: `{key}` cannot be set for a single projector")]
    NotOfProjectors {
        /// The setting.
        key: String,
        /// Where.
        origin: Origin,
    },
    /// A projector cannot have this name.
    #[error("{origin}: no projector has such a name")]
    ProjectorName {
        /// Where.
        origin: Origin,
        /// Why.
        #[source]
        source: InvalidName,
    },
    /// A value is not allowed.
    #[error("{origin}: `{key}` must be {allowed}, not {given}")]
    WrongValue {
        /// The setting.
        key: String,
        /// What was given.
        given: String,
        /// Where.
        origin: Origin,
        /// What is allowed.
        allowed: String,
    },
    /// Two settings do not go together.
    #[error("{origin}: `{key}` {reason}")]
    Conflict {
        /// The setting that was said most emphatically.
        key: String,
        /// Where it came from.
        origin: Origin,
        /// What is wrong.
        reason: String,
    },
    /// A `--set` is not of the form `key=value`.
    #[error("`--set {0}` is not of the form key=value")]
    NotAnAssignment(String),
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey {
                nearest: Some(key), ..
            } => Some(format!("did you mean `{key}`?")),
            ConfigError::UnknownKey { nearest: None, .. } => {
                Some("`lantern config`, run elsewhere, lists all settings".into())
            }
            ConfigError::NotOfProjectors { key, .. } => Some(format!(
                "set `{key}` itself, for the whole host; `lantern config --explain` says which can \
                 be set under `[projectors.NAME]`"
            )),
            ConfigError::ProjectorName { .. } => {
                Some("write `[projectors.NAME]` with the name that `lantern status` shows".into())
            }
            ConfigError::NotAnAssignment(_) => {
                Some("for example: --set limits.memory_mib=256".into())
            }
            _ => None,
        }
    }
}

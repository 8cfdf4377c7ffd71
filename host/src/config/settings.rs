//! What is true after checks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::limits::Limits;
use super::pacing::Pacing;

/// The settings of one host, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder for what the host keeps: stores and compiled components.
    pub data_dir: PathBuf,
    /// The watched folder, where projectors are put.
    pub projectors_dir: PathBuf,
    /// Where the events are.
    pub event_store: StoreSettings,
    /// Where the read models are.
    pub read_store: StoreSettings,
    /// How much a component may use.
    pub limits: Limits,
    /// How much a worker takes at a time.
    pub pacing: Pacing,
    /// How the folder of projectors is watched.
    pub watch: WatchSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// A store in a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The file.
    pub path: PathBuf,
    /// When a commit counts as done.
    pub durability: Durability,
}

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it: it survives a power cut.
    Full,
    /// When the operating system has it: it survives a crash of the process,
    /// but a power cut may take the last commits. The store stays consistent.
    Normal,
}

/// How the folder of projectors is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSettings {
    /// How long a file must be left alone before it is taken.
    pub debounce: Duration,
    /// How often the folder is read whole, whatever the system announces.
    pub rescan: Duration,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A level, or directives such as `info,lantern::worker=debug`.
    pub filter: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The defaults, with everything under one directory.
    pub fn in_dir(dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref();
        Self::with_dirs(dir.join("lantern-data"), dir.join("projectors"))
    }

    /// The defaults around a folder for data and one for projectors.
    pub(super) fn with_dirs(data_dir: PathBuf, projectors_dir: PathBuf) -> Self {
        Self {
            event_store: StoreSettings {
                path: data_dir.join("events.db"),
                durability: Durability::Full,
            },
            read_store: StoreSettings {
                path: data_dir.join("read.db"),
                durability: Durability::Normal,
            },
            data_dir,
            projectors_dir,
            limits: Limits::default(),
            pacing: Pacing::default(),
            watch: WatchSettings {
                debounce: Duration::from_millis(300),
                rescan: Duration::from_secs(5),
            },
            log: LogSettings {
                filter: "info".into(),
                format: LogFormat::Human,
            },
        }
    }
}

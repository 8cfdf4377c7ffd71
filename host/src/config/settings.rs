//! What is true after checks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::defaults::setting;
use super::event_table::EventTableSettings;
use super::limits::Limits;
use super::projector::ProjectorSettings;

/// The settings of one host, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder for what the host keeps: stores and compiled components.
    pub data_dir: PathBuf,
    /// The watched folder, where projectors are put.
    pub projectors_dir: PathBuf,
    /// Where the events are.
    pub event_store: EventStoreSettings,
    /// Where the read models are.
    pub read_store: ReadStoreSettings,
    /// The most connections to one PostgreSQL database.
    pub postgres_connections: usize,
    /// How much a component may use.
    pub limits: Limits,
    /// How projectors are worked, unless something else is said of one.
    pub projectors: ProjectorSettings,
    /// What is said of single projectors, by their names.
    pub of_projector: BTreeMap<String, ProjectorSettings>,
    /// How the folder of projectors is watched.
    pub watch: WatchSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Where the events are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStoreSettings {
    /// The SQLite file, unless there is a `url`.
    pub path: PathBuf,
    /// A PostgreSQL database; empty for SQLite.
    pub url: String,
    /// The schema of Lantern's own tables in that database.
    pub schema: String,
    /// When a commit counts as done.
    pub durability: Durability,
    /// The event table, where it is not Lantern's own.
    pub table: EventTableSettings,
}

/// Where the read models are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStoreSettings {
    /// The SQLite file, unless there is a `url`.
    pub path: PathBuf,
    /// A PostgreSQL database; empty for SQLite.
    pub url: String,
    /// The schema of read models and records in that database.
    pub schema: String,
    /// When a commit counts as done.
    pub durability: Durability,
    /// How long a swap may make readers wait that come while it waits for others.
    pub lock_wait: Duration,
    /// How long a host that is not heard of keeps its projectors.
    pub lease: Duration,
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

    /// How the projector with this name is worked.
    pub fn projector(&self, name: &str) -> &ProjectorSettings {
        self.of_projector.get(name).unwrap_or(&self.projectors)
    }

    /// Whether any store is in a database that other machines can reach.
    pub fn uses_a_server(&self) -> bool {
        !self.event_store.url.is_empty() || !self.read_store.url.is_empty()
    }

    /// The value of a setting as it may be shown; empty for a key that there is
    /// not.
    pub fn shown(&self, key: &str) -> String {
        setting(key).map_or_else(String::new, |(_, setting)| {
            setting.field.read(&mut self.clone()).to_string()
        })
    }

    /// The defaults around a folder for data and one for projectors.
    pub(super) fn with_dirs(data_dir: PathBuf, projectors_dir: PathBuf) -> Self {
        Self {
            event_store: EventStoreSettings {
                path: data_dir.join("events.db"),
                url: String::new(),
                schema: "lantern_events".into(),
                durability: Durability::Full,
                table: EventTableSettings::default(),
            },
            read_store: ReadStoreSettings {
                path: data_dir.join("read.db"),
                url: String::new(),
                schema: "read_models".into(),
                durability: Durability::Normal,
                lock_wait: Duration::from_millis(500),
                lease: Duration::from_secs(5),
            },
            postgres_connections: 10,
            data_dir,
            projectors_dir,
            limits: Limits::default(),
            projectors: ProjectorSettings::default(),
            of_projector: BTreeMap::new(),
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

//! What is true of this host: settings, where each came from, and why each
//! default is what it is.
//!
//! [`gather`] collects what the user said (`file` reads `lantern.toml`), and
//! [`resolve`] turns it into [`Settings`]: what is true after checks. The rest
//! of the host sees only the latter. `defaults` holds the table in which every
//! setting stands once. Strength, weakest first: default, `lantern.toml`,
//! environment, flag.

mod defaults;
mod error;
mod event_table;
mod field;
mod file;
mod gather;
mod limits;
mod nearest;
mod of_projector;
mod pacing;
mod projector;
mod resolve;
mod settings;
mod update;

pub use defaults::{SETTINGS, Setting};
pub use error::ConfigError;
pub use event_table::{EventTableSettings, Gaps, Preset};
pub use field::SettingValue;
pub use gather::{FILE_NAME, gather};
pub use limits::Limits;
pub use pacing::Pacing;
pub use projector::{Failing, FailurePolicy, OnFailure, ProjectorSettings};
pub use resolve::{FileText, Flag, Inputs, Origin, Resolved, ResolvedSetting, resolve};
pub use settings::{
    Durability, EventStoreSettings, LogFormat, LogSettings, ReadStoreSettings, Settings,
    WatchSettings,
};
pub use update::{Schedule, Update, UpdateSettings, UpdateStrategy};

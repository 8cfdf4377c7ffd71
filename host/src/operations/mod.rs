//! What an operator can want, one function a verb.
//!
//! The command line, and later the HTTP interface, are skins over this room and
//! see nothing below it. Every verb works while a host runs, in this process or
//! another, and when none does: it writes what is wanted into the records, and a
//! host follows them. [`Lantern`] is what all verbs need: settings and open
//! stores.

mod dead_letters;
mod error;
mod inline;
mod inspect;
mod lantern;
mod new;
mod order;
mod rebuild;
mod run;
mod status;
mod stores;
mod verbs;
mod wait;

pub use dead_letters::{
    DeadLettersOf, LetterEvent, ListedDeadLetter, ShownDeadLetter, dead_letter, dead_letters,
    discard_dead_letters, retry_dead_letters,
};
pub use error::{ErrorClass, OperationError};
pub use inspect::{Inspection, inspect};
pub use lantern::Lantern;
pub use new::new_projector;
pub use order::{release_waiting_events, waiting_events};
pub use rebuild::{RebuildEnd, rebuild, wait_for_rebuild};
pub use run::run;
pub use status::{BuildingStatus, GapsStatus, HostStatus, ProjectorStatus, Status, head, status};
pub use verbs::{append, drop_projector, pause, query, resume, roll_back, streams};
pub use wait::{Pending, Standstill, WaitEnd, Waited, wait_for};

pub use crate::append::{AppendProgress, AppendReport, OnProgress};
pub use crate::host::{RunReport, Until};
pub use crate::read_store::{Answer, Condition, Query, RefusedFile, Usage};
pub use crate::source::StreamInfo;
pub use crate::toolchain::{BuildRequest, BuiltComponent, InstallPolicy, ToolchainError, build};

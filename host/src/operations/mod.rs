//! What an operator can want, one function a verb.
//!
//! The command line, and later the HTTP interface, are skins over this room and
//! see nothing below it. Every verb works while a host runs, in this process or
//! another, and when none does: it writes what is wanted into the records, and a
//! host follows them. [`Lantern`] is what all verbs need: settings and open
//! stores.

mod dead_letters;
mod error;
mod estimate;
mod inline;
mod inspect;
mod lantern;
mod new;
mod order;
mod reading;
mod rebuild;
mod rewind;
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
pub use estimate::{Estimate, Extent, estimate};
pub use inspect::{Inspection, inspect};
pub use lantern::Lantern;
pub use new::new_projector;
pub use order::{release_waiting_events, waiting_events};
pub use rebuild::{RebuildEnd, rebuild, rebuild_part, wait_for_rebuild};
pub use rewind::{RewindTo, rewind};
pub use run::run;
pub use status::{BuildingStatus, GapsStatus, HostStatus, ProjectorStatus, Status, head, status};
pub use verbs::{append, drop_projector, is_paused, pause, query, resume, roll_back, streams};
pub use wait::{Pending, Standstill, WaitEnd, Waited, wait_for};

pub use crate::append::{AppendProgress, AppendReport, OnProgress};
pub use crate::host::{RunReport, Until};
pub use crate::read_store::{Answer, Condition, Query, RefusedFile, Usage};
pub use crate::source::StreamInfo;
pub use crate::toolchain::{BuildRequest, BuiltComponent, InstallPolicy, ToolchainError, build};

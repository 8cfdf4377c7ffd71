//! Why a verb could not be done, and what to do about it.

use std::path::PathBuf;

use crate::append::AppendError;
use crate::host::{HostError, LockError};
use crate::model::{InvalidName, Timestamp, WantedState};
use crate::read_store::StoreError;
use crate::rebuild::StartError;
use crate::sandbox::LoadError;
use crate::source::SourceError;

/// Whose affair an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The user's: the request or the input is wrong.
    User,
    /// The environment's: a file, a lock, a disk.
    Environment,
    /// Ours.
    Bug,
}

/// Why a verb could not be done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// There is no such projector.
    #[error("there is no projector `{name}`")]
    NoProjector {
        /// The name asked for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// No event was set aside that is meant.
    #[error("projector `{name}` has no dead letter{which}")]
    NoDeadLetter {
        /// The projector.
        name: String,
        /// Which was meant.
        which: String,
    },
    /// No event of an entity waits in strict order.
    #[error("projector `{projector}` has no event of entity `{entity}` that waits")]
    NothingWaits {
        /// The projector.
        projector: String,
        /// The entity.
        entity: String,
    },
    /// There is no such generation.
    #[error("projector `{name}` is not being rebuilt")]
    NotBuilding {
        /// The projector.
        name: String,
    },
    /// A projector that stands still cannot be rebuilt.
    #[error("projector `{name}` is {wanted}, so a rebuild of it would stand still too")]
    StandsStill {
        /// The projector.
        name: String,
        /// Why it stands still.
        wanted: WantedState,
    },
    /// No event happened that early.
    #[error("no event that was read happened at or before {time}")]
    NothingBefore {
        /// The time asked for.
        time: Timestamp,
    },
    /// A name cannot be a projector's.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A name would hide a library of Rust's own.
    #[error("projector name `{name}` is a library of Rust's own")]
    TakenName {
        /// The name.
        name: String,
    },
    /// A new projector needs an empty folder.
    #[error("{} is there already and not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing has been stored here yet.
    #[error("there are no stores in {}", dir.display())]
    NoData {
        /// The data directory.
        dir: PathBuf,
    },
    /// The address of a database cannot be understood.
    #[error("the address in `{key}` cannot be understood: {reason}")]
    Url {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A host is running on the same data.
    #[error(transparent)]
    HostRuns(#[from] LockError),
    /// A folder or file cannot be used.
    #[error("{} cannot be used", path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is no projector.
    #[error("{} is refused", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: LoadError,
    },
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Sandbox(#[from] LoadError),
    /// An append failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A rebuild could not be begun.
    #[error(transparent)]
    Rebuild(#[from] StartError),
    /// The host had to stop.
    #[error("the host had to stop")]
    Host(#[from] HostError),
    /// The event store failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The read store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OperationError {
    /// Whether trying again later may help.
    pub fn may_pass(&self) -> bool {
        match self {
            OperationError::Source(error) => error.is_transient(),
            OperationError::Store(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whose affair it is.
    pub fn class(&self) -> ErrorClass {
        use OperationError as E;
        match self {
            E::Name(_) | E::TakenName { .. } | E::NotEmpty { .. } | E::StandsStill { .. } => {
                ErrorClass::User
            }
            E::NoProjector { .. }
            | E::NoDeadLetter { .. }
            | E::NothingWaits { .. }
            | E::NotBuilding { .. }
            | E::NothingBefore { .. }
            | E::Url { .. }
            | E::NoData { .. }
            | E::Refused { .. }
            | E::Append(AppendError::Line(_)) => ErrorClass::User,
            E::Rebuild(StartError::Store(error)) => of_store(error),
            E::Rebuild(_) | E::HostRuns(LockError::Held { .. }) => ErrorClass::User,
            E::HostRuns(_) | E::Folder { .. } | E::Sandbox(_) => ErrorClass::Environment,
            E::Append(AppendError::Read(_) | AppendError::Rejects(_)) => ErrorClass::Environment,
            E::Append(AppendError::Store(error)) | E::Source(error) => of_source(error),
            E::Store(error) => of_store(error),
            E::Host(HostError::Store(error)) => of_store(error),
            E::Host(HostError::Source(error)) => of_source(error),
            E::Host(HostError::Catalog(_)) => ErrorClass::Environment,
        }
    }

    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        use OperationError as E;
        Some(match self {
            E::NoProjector { known, .. } if known.is_empty() => {
                "no projector has been loaded yet; put a component into the watched folder and `lantern run`".into()
            }
            E::NoProjector { known, .. } => format!("there are: {}", known.join(", ")),
            E::Name(_) | E::TakenName { .. } => "for example: lantern new page_visits".into(),
            E::NoDeadLetter { name, .. } => {
                format!("`lantern dead-letters list {name}` shows those there are")
            }
            E::NothingWaits { projector, .. } => {
                format!("`lantern order list {projector}` shows those that wait")
            }
            E::StandsStill { name, .. } => format!("`lantern resume {name}` first"),
            E::NothingBefore { .. } => {
                "to go back to before the first event: --to-position 0".into()
            }
            E::Rebuild(error) => return rebuild_hint(error),
            E::NotEmpty { .. } => "give another name, or another folder with --dir".into(),
            E::NoData { .. } => {
                "`lantern append` and `lantern run` make them; or name another place with --data-dir".into()
            }
            E::HostRuns(LockError::Held { .. }) => {
                "operators' verbs work while it runs; to run another host, give it another --data-dir".into()
            }
            E::Append(AppendError::Line(_)) => {
                "mend the line, or give --rejects FILE to append the rest and have wrong lines written there".into()
            }
            E::Append(AppendError::Store(error)) | E::Source(error) if error.is_transient() => BUSY.into(),
            E::Store(error) if error.is_transient() => BUSY.into(),
            E::Store(StoreError::NothingRetired(_)) => {
                "there is one after the first change of version or rebuild".into()
            }
            _ => return None,
        })
    }
}

fn rebuild_hint(error: &StartError) -> Option<String> {
    Some(match error {
        StartError::BeingRebuilt { .. } => {
            "`lantern status` shows how far it is; try again when that is done".into()
        }
        StartError::NotBehind { .. } => "a rewind goes back; see `lantern status`".into(),
        StartError::NotKeyed { name, by, .. } => format!(
            "rebuild all of it: `lantern rebuild {name}`; or declare all its tables {by}_keyed in \
             a new version"
        ),
        StartError::NotWanted { .. } => "see its filter: `lantern inspect` on its file".into(),
        StartError::Partitions(name) | StartError::Ordered { name } => {
            format!("rebuild all of it: `lantern rebuild {name}`")
        }
        StartError::Store(error) if error.is_transient() => BUSY.into(),
        StartError::NotLive(_) | StartError::Store(_) => return None,
    })
}

const BUSY: &str = "see whether the database can be reached, its disk is full or another program holds it; then try again";

fn of_source(error: &SourceError) -> ErrorClass {
    match error {
        SourceError::Unavailable(_) => ErrorClass::Environment,
        SourceError::Broken(_) => ErrorClass::Bug,
        SourceError::Inline(_)
        | SourceError::NotInline(_)
        | SourceError::WrongVersion { .. }
        | SourceError::InvalidEvent { .. }
        | SourceError::ReadOnly(_)
        | SourceError::Unfit(_)
        | SourceError::Hole { .. }
        | SourceError::Unreadable { .. } => ErrorClass::User,
    }
}

fn of_store(error: &StoreError) -> ErrorClass {
    match error {
        StoreError::Unavailable(_) | StoreError::Unreadable(_) => ErrorClass::Environment,
        StoreError::Broken(_) | StoreError::NoGeneration(_) => ErrorClass::Bug,
        StoreError::NotUnique { .. }
        | StoreError::Refused { .. }
        | StoreError::Overtaken(_)
        | StoreError::DependedUpon { .. }
        | StoreError::TableTaken { .. }
        | StoreError::NoProjector(_)
        | StoreError::NothingRetired(_)
        | StoreError::BadQuery(_) => ErrorClass::User,
    }
}

//! What can go wrong with a read store.

use crate::model::GenerationId;

/// Why a read store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is locked, unreachable or full. Trying again may help.
    #[error("the read store cannot be used at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused what the host asked; trying again does not help.
    #[error("the read store failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The rows a projector made do not satisfy a unique index: its fault.
    #[error("two rows of table `{table}` have the same {columns}, which a unique index forbids")]
    NotUnique {
        /// The table, by the name readers use.
        table: String,
        /// The columns of the index.
        columns: String,
    },
    /// The database cannot hold a value that a projector sent: its fault.
    #[error("table `{table}` cannot hold a value: {reason}")]
    Refused {
        /// The table, by the name readers use.
        table: String,
        /// What the database says.
        reason: String,
    },
    /// Another host has changed the projector's generations meanwhile: decide
    /// again.
    #[error("projector `{0}` was changed by another host meanwhile")]
    Overtaken(String),
    /// A table name is in use.
    #[error("table `{table}` already belongs to {owner}")]
    TableTaken {
        /// The name.
        table: String,
        /// The projector that owns it, or what else it is.
        owner: String,
    },
    /// The columns of a readers' name change, and other objects of the database
    /// are built on them.
    #[error(
        "the columns of `{table}` change, and others in the database depend on it: {dependents}. \
         Drop these, try again, and make them anew; or keep the present columns in their order \
         and add new ones behind them"
    )]
    DependedUpon {
        /// The readers' name.
        table: String,
        /// What depends on it, as the database says.
        dependents: String,
    },
    /// There is no such generation.
    #[error("there is no generation {0}")]
    NoGeneration(GenerationId),
    /// There is no such projector.
    #[error("there is no projector `{0}`")]
    NoProjector(String),
    /// There is no generation to go back to.
    #[error("projector `{0}` has no former generation to roll back to")]
    NothingRetired(String),
    /// There is no such read model or column, or a condition does not fit it.
    #[error("{0}")]
    BadQuery(String),
    /// The stored records were written by a newer Lantern, or are damaged.
    #[error("the read store's records cannot be understood: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unavailable(_))
    }
}

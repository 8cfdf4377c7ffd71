//! Rows and checkpoint, together or not at all.
//!
//! The door to this room. A [`ReadStore`] keeps the catalog's records, makes
//! the physical tables of generations and hands the readers' names from one
//! generation to another. A [`Writer`] commits the changes of one generation
//! in one transaction with its checkpoint; a [`RowReader`] answers what a
//! projector asks of its own rows. The room knows tables, rows and checkpoints;
//! it does not know events, components or who decides.

#[cfg(test)]
mod behaviour;
mod checkpoint;
mod error;
mod query;
mod schema;
mod sqlite;

pub use error::StoreError;
pub use query::{Answer, Condition, Query};
pub use sqlite::{Durability, SqliteOptions, SqliteReadStore};

use async_trait::async_trait;

use crate::model::{
    Changes, Checkpoint, Description, Digest, Epoch, Failure, GenerationId, ProjectorName,
    ProjectorRecord, Row, Table, Timestamp, Value, WantedState,
};

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Rows and checkpoint are stored.
    Stored,
    /// Nothing was stored: somebody else has taken over this generation, has
    /// moved its checkpoint, or it is no longer live or building. The text says
    /// which.
    Fenced(String),
}

/// Writes one generation. It blocks, so it belongs on a blocking thread.
pub trait Writer: Send {
    /// Applies `changes` and moves the checkpoint from `from` to `to`, in one
    /// transaction, provided that the generation still belongs to this writer
    /// and stands at `from`.
    fn commit(
        &mut self,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError>;
}

/// Reads rows of one generation as of its last commit. It blocks.
pub trait RowReader: Send {
    /// The rows with these keys, in their order; `None` where there is none.
    /// Each key holds its values in the order of the table's key. Tombstones of
    /// a guarded table are given too, marked as deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoGeneration`] when the generation has been dropped.
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError>;
}

/// The right to work on a generation, taken from whoever had it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The generation.
    pub generation: GenerationId,
    /// The epoch that began with this claim.
    pub epoch: Epoch,
    /// Where the generation stands.
    pub checkpoint: Checkpoint,
    /// Whether its tables hold no row at all.
    pub is_empty: bool,
}

/// What a host tells of itself, so that other processes can see it live.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostRecord {
    /// A random name, new for every start.
    pub instance: String,
    /// The process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When its loop last came round.
    pub heartbeat_at: Timestamp,
    /// What its workers are doing.
    pub activities: Vec<Activity>,
    /// Files in the watched folder that are not in use, and why.
    pub refused: Vec<RefusedFile>,
}

/// What one worker is doing.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// The generation it works on.
    pub generation: GenerationId,
    /// A word or two: `live`, `catching up`, `building indexes`, `retrying`.
    pub phase: String,
    /// Events per second, averaged over some seconds.
    pub events_per_second: f64,
    /// When its loop last came round, whether or not there was an event.
    pub last_cycle_at: Timestamp,
    /// What it waits for, when something is wrong but being tried again.
    pub trouble: Option<String>,
}

/// A file that was not taken into use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefusedFile {
    /// The file's name in the watched folder.
    pub file: String,
    /// Why, and what to do.
    pub reason: String,
    /// When it was looked at.
    pub at: Timestamp,
}

/// Whether a swap could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// Readers now see the generation.
    Done,
    /// It is still behind the live generation's checkpoint; readers would go
    /// back in time.
    Behind,
    /// It is no longer building (dropped, replaced or already live).
    Gone,
}

/// A place for read models.
#[async_trait]
pub trait ReadStore: Send + Sync {
    // ---- hot paths -------------------------------------------------------

    /// Opens a writer for the generation that `claim` was made for.
    fn writer(&self, claim: &Claim, tables: &[Table]) -> Result<Box<dyn Writer>, StoreError>;

    /// Opens a reader of one generation's rows.
    fn row_reader(
        &self,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError>;

    // ---- records ---------------------------------------------------------

    /// A number that changes whenever a record below may have changed, also by
    /// another process. Cheap enough to ask often.
    async fn revision(&self) -> Result<u64, StoreError>;

    /// All projectors with their generations, in name order.
    async fn projectors(&self) -> Result<Vec<ProjectorRecord>, StoreError>;

    /// Who owns a table, by the name readers use.
    async fn owner_of(&self, table: &str) -> Result<Option<ProjectorName>, StoreError>;

    /// Begins a generation: records it as building, makes its tables (without
    /// secondary indexes), and makes its projector if it is new. A generation
    /// of the same projector that was still building is given up and dropped.
    ///
    /// When the projector has no live generation, the new one becomes live at
    /// once, under the readers' names: there is nothing older to show. Its
    /// secondary indexes, too, are made later, by [`ReadStore::build_indexes`].
    ///
    /// # Errors
    ///
    /// [`StoreError::TableTaken`] when another projector, or something that is
    /// not Lantern's, has a table or view of that name.
    async fn begin_generation(
        &self,
        description: &Description,
        digest: &Digest,
    ) -> Result<GenerationId, StoreError>;

    /// Gives a generation another component of the same version, and clears its
    /// failure. The epoch moves on, so that a worker on the former component
    /// cannot commit any more. The tables must be the same.
    async fn adopt(
        &self,
        generation: GenerationId,
        description: &Description,
        digest: &Digest,
    ) -> Result<(), StoreError>;

    /// Gives up a generation that is building, and drops its tables. One that is
    /// no longer building is left alone.
    async fn abandon(&self, generation: GenerationId) -> Result<(), StoreError>;

    /// Takes the right to work on a generation: the epoch moves on. The
    /// revision does not, as no record below shows who works.
    async fn claim(&self, generation: GenerationId, owner: &str) -> Result<Claim, StoreError>;

    /// Records which file a projector comes from and what that file holds.
    async fn set_file(
        &self,
        name: &ProjectorName,
        file: Option<&str>,
        digest: Option<&Digest>,
    ) -> Result<(), StoreError>;

    /// Records what is wanted of a projector.
    async fn set_wanted(&self, name: &ProjectorName, wanted: WantedState)
    -> Result<(), StoreError>;

    /// Records why a generation stands still, or that it no longer does.
    async fn set_failure(
        &self,
        generation: GenerationId,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError>;

    // ---- tables ----------------------------------------------------------

    /// Makes the secondary indexes of a generation, live or building, after its
    /// first fill, and records that it is indexed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotUnique`] when a unique index does not hold.
    async fn build_indexes(&self, generation: GenerationId) -> Result<(), StoreError>;

    /// Hands the readers' names to a generation that is building, in one short
    /// transaction: it becomes live, the live one retired, and a generation
    /// retired before that is dropped. Both epochs move on.
    async fn swap(&self, generation: GenerationId) -> Result<Swap, StoreError>;

    /// Hands the readers' names back to the retired generation, in one short
    /// transaction; the live one is retired in its place. A generation still
    /// building is given up.
    ///
    /// # Errors
    ///
    /// [`StoreError::NothingRetired`] when there is no generation to go back to.
    async fn roll_back(&self, name: &ProjectorName) -> Result<GenerationId, StoreError>;

    /// Removes a projector: its records, its tables, its readers' names.
    async fn drop_projector(&self, name: &ProjectorName) -> Result<(), StoreError>;

    /// Drops tables left over by a process that was killed half-way, if any.
    async fn sweep(&self) -> Result<(), StoreError>;

    // ---- for people ------------------------------------------------------

    /// Records that a host lives and what it does.
    async fn heartbeat(&self, host: &HostRecord) -> Result<(), StoreError>;

    /// The host that was last heard of.
    async fn host(&self) -> Result<Option<HostRecord>, StoreError>;

    /// Answers a question about one read model, by the name readers use.
    async fn query(&self, query: &Query) -> Result<Answer, StoreError>;

    /// The bytes a generation's tables and indexes take, when the store can say.
    async fn size_of(&self, generation: GenerationId) -> Result<Option<u64>, StoreError>;
}

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
mod dead_letters;
mod durability;
mod error;
mod hosts;
mod inline;
mod migrations;
mod parts;
mod postgres;
mod query;
mod rows;
mod schema;
mod sqlite;
mod stored;

pub use durability::Durability;
pub use error::StoreError;
pub use hosts::{Activity, Claimed, HostRecord, Owner, RefusedFile, SeenHost};
pub use inline::InlineStanding;
pub use postgres::{PostgresOptions, PostgresReadStore};
pub use query::{Answer, Condition, Query};
pub use sqlite::{SqliteOptions, SqliteReadStore};

use async_trait::async_trait;

pub use crate::postgres::Usage;

use crate::model::{
    Changes, Checkpoint, DeadLetter, DeadLetterChoice, DeadLetterRequest, Description, Digest,
    Epoch, Failure, Fill, GenerationId, Part, PassedGap, ProjectorName, ProjectorRecord, Row,
    Scope, Table, Timestamp, Value, WaitingEvent, WantedState,
};
use crate::transaction::SharedTransaction;

/// A transaction that is not in the database of this store.
pub(crate) fn elsewhere() -> StoreError {
    StoreError::Broken("events and read models are not in one database".into())
}

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

/// Whether a swap could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// Readers now see the generation.
    Done,
    /// It is still behind the live generation's checkpoint; readers would go
    /// back in time.
    Behind,
    /// Somebody holds the readers' names, and the lock was not had within the
    /// time allowed; nothing has changed. The text says who, where that is known.
    Busy(String),
    /// It is no longer building (dropped, replaced or already live).
    Gone,
}

/// Whether the rows of a part were taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOver {
    /// Readers now see them.
    Done,
    /// The live generation is not the claimant's any more, or does not stand where
    /// the part does. The text says which.
    Fenced(String),
    /// The part is gone: given up, or taken over already.
    Gone,
}

/// A place for read models.
#[async_trait]
pub trait ReadStore: Send + Sync {
    // ---- hot paths -------------------------------------------------------

    /// Opens a writer for the generation that `claim` was made for. `tables` are
    /// all that are stored: the projector's, then the host's.
    fn writer(&self, claim: &Claim, tables: &[Table]) -> Result<Box<dyn Writer>, StoreError>;

    /// Opens a reader of one generation's rows.
    fn row_reader(
        &self,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError>;

    // ---- within an append ------------------------------------------------

    /// How the live generation of a projector stands; locked until the
    /// transaction ends. `None` when there is none. It blocks.
    fn inline_standing(
        &self,
        transaction: &SharedTransaction,
        name: &ProjectorName,
    ) -> Result<Option<InlineStanding>, StoreError>;

    /// A writer that writes in another's transaction, and leaves the commit to it.
    fn inline_writer(
        &self,
        transaction: &SharedTransaction,
        claim: &Claim,
        tables: &[Table],
    ) -> Result<Box<dyn Writer>, StoreError>;

    /// A reader of rows as another's transaction sees them.
    fn inline_row_reader(
        &self,
        transaction: &SharedTransaction,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError>;

    // ---- records ---------------------------------------------------------

    /// A number that changes whenever a record below may have changed, also by
    /// another process. Cheap enough to ask often.
    async fn revision(&self) -> Result<u64, StoreError>;

    /// All projectors with their generations, in name order.
    async fn projectors(&self) -> Result<Vec<ProjectorRecord>, StoreError>;

    /// How far a generation has come; `None` when there is none of this number.
    /// Cheaper than [`projectors`](ReadStore::projectors), for those who wait.
    async fn checkpoint(&self, generation: GenerationId) -> Result<Option<Checkpoint>, StoreError>;

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
    /// [`StoreError::Overtaken`] when the projector's newest generation (the one
    /// building, else the live one) is no longer `newest`, which is the one that
    /// the caller decided upon.
    async fn begin_generation(
        &self,
        description: &Description,
        digest: &Digest,
        newest: Option<GenerationId>,
    ) -> Result<GenerationId, StoreError> {
        self.begin_scoped(description, digest, newest, &Scope::All)
            .await
    }

    /// The same for a generation that is built from some events only.
    async fn begin_scoped(
        &self,
        description: &Description,
        digest: &Digest,
        newest: Option<GenerationId>,
        scope: &Scope,
    ) -> Result<GenerationId, StoreError>;

    /// Gives a generation another component of the same version, and clears its
    /// failure. The epoch moves on, so that a worker on the former component
    /// cannot commit any more. The tables must be the same. All dead letters are
    /// to be tried again.
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
    ///
    /// A store that several hosts can reach refuses while another host holds a
    /// lease on the generation. A lease lasts from the claim or the holder's last
    /// heartbeat for the length set for the store, or until it is released. A
    /// host's own former lease is no obstacle.
    async fn claim(&self, generation: GenerationId, owner: &Owner) -> Result<Claimed, StoreError>;

    /// Gives the lease on a generation back, if `owner` still holds it, so that
    /// another host need not wait for its end.
    async fn release(&self, generation: GenerationId, owner: &Owner) -> Result<(), StoreError>;

    /// Whether hosts with other data directories may use this store as well.
    fn is_shared(&self) -> bool;

    /// Whether one large commit fills an empty generation for less than many
    /// small ones, and holds nobody else up meanwhile.
    fn fills_at_once(&self) -> bool {
        false
    }

    /// Records which file of which host a projector comes from and what that file
    /// holds.
    async fn set_file(
        &self,
        name: &ProjectorName,
        file: Option<&str>,
        digest: Option<&Digest>,
        host: &str,
    ) -> Result<(), StoreError>;

    /// Keeps a component's bytes for hosts that have no copy. A store that only
    /// one host can reach keeps none.
    async fn keep_component(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError>;

    /// The bytes of a component, if they are kept here.
    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Records what is wanted of a projector.
    async fn set_wanted(&self, name: &ProjectorName, wanted: WantedState)
    -> Result<(), StoreError>;

    /// Records why a generation stands still, or that it no longer does.
    async fn set_failure(
        &self,
        generation: GenerationId,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError>;

    /// Records when a round of a generation that works by a schedule began, after
    /// its end. The revision does not move.
    async fn note_run(
        &self,
        generation: GenerationId,
        began_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// When the last such round began, if there was one.
    async fn last_run(&self, generation: GenerationId) -> Result<Option<Timestamp>, StoreError>;

    /// Some dead letters of a generation, in the order of their positions.
    async fn dead_letters(
        &self,
        generation: GenerationId,
        choice: &DeadLetterChoice,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// The events of a generation that wait for an earlier version of their entity,
    /// in the order of their positions.
    async fn waiting(&self, generation: GenerationId) -> Result<Vec<WaitingEvent>, StoreError>;

    /// Records that the waiting events of an entity are to be projected without what
    /// is missing before them, for the host that works on the generation; returns
    /// how many there are. Without a tenant, those of every tenant are meant.
    async fn release_waiting(
        &self,
        generation: GenerationId,
        tenant: Option<&str>,
        entity: &str,
    ) -> Result<u64, StoreError>;

    /// Records what is to be done with some dead letters, for the host that works
    /// on the generation; returns how many there are.
    async fn ask_dead_letters(
        &self,
        generation: GenerationId,
        choice: &DeadLetterChoice,
        request: DeadLetterRequest,
    ) -> Result<u64, StoreError>;

    // ---- tables ----------------------------------------------------------

    /// Makes the secondary indexes of a generation, live or building, after its
    /// first fill, and records that it is indexed. One of a part gets none: its
    /// rows go into tables that have them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotUnique`] when a unique index does not hold.
    async fn build_indexes(&self, generation: GenerationId) -> Result<(), StoreError>;

    /// Hands the readers' names to a generation that is building, in one short
    /// transaction: it becomes live, the live one retired, and a generation
    /// retired before that is dropped. Both epochs move on.
    ///
    /// One that is a rewind needs to have reached its own position only, and its
    /// projector is paused in the same transaction: it stands there.
    async fn swap(&self, generation: GenerationId) -> Result<Swap, StoreError>;

    /// Puts the rows of a part in the place of those that the live generation has
    /// of this part, dead letters included, in one transaction, and drops the
    /// part. Other rows and the checkpoint stay as they are.
    ///
    /// `live` is the claim on the live generation, which must stand where the part
    /// stands. It ends with this: the next claim knows nothing of former rows.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotUnique`] when a row of the part and a row of another share
    /// a value that a unique index forbids; nothing has changed then.
    async fn take_over(&self, live: &Claim, part: GenerationId) -> Result<TakeOver, StoreError>;

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

    /// Drops tables left over by a process that was killed half-way, and kept
    /// components that no generation needs, if any.
    async fn sweep(&self) -> Result<(), StoreError>;

    // ---- for people ------------------------------------------------------

    /// Records that a host lives and what it does, and prolongs its leases.
    async fn heartbeat(&self, host: &HostRecord) -> Result<(), StoreError>;

    /// The hosts that were heard of, the latest first. Those that have been dead
    /// for a day are forgotten, save the latest.
    async fn hosts(&self) -> Result<Vec<SeenHost>, StoreError>;

    /// Records a gap that the source passed. The same gap may come twice.
    async fn note_gap(&self, gap: &PassedGap) -> Result<(), StoreError>;

    /// How many gaps have been passed, and the latest of them, latest first.
    async fn gaps(&self, limit: usize) -> Result<(u64, Vec<PassedGap>), StoreError>;

    /// Answers a question about one read model, by the name readers use.
    async fn query(&self, query: &Query) -> Result<Answer, StoreError>;

    /// The bytes a generation's tables and indexes take, when the store can say.
    async fn size_of(&self, generation: GenerationId) -> Result<Option<u64>, StoreError>;

    /// How many rows a generation's tables have, tombstones included: all of them,
    /// or those of a part that the tables are keyed by.
    async fn count_rows(
        &self,
        generation: GenerationId,
        part: Option<&Part>,
    ) -> Result<u64, StoreError>;

    /// Records that a fill of a generation went on for so long, and so far. What
    /// was recorded before is added to. The revision does not move.
    async fn note_fill(&self, generation: GenerationId, fill: Fill) -> Result<(), StoreError>;

    /// How a generation was filled, as far as that was recorded.
    async fn fill_of(&self, generation: GenerationId) -> Result<Fill, StoreError>;
}

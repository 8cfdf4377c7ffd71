//! The store, and who does what.

use async_trait::async_trait;

use super::change::{RecordChange, revision};
use super::error::failed;
use super::inline::{PostgresInlineRowReader, PostgresInlineWriter};
use super::migrations::migrate;
use super::options::PostgresOptions;
use super::reader::PostgresRowReader;
use super::space::Space;
use super::writer::PostgresWriter;
use super::{
    components, dead_letters, gaps, generations, inline, leases, measures, ownership, question,
    records, runs, swap, tables, take_over, waiting,
};
use crate::model::{
    Checkpoint, DeadLetter, DeadLetterChoice, DeadLetterRequest, Description, Digest, Failure,
    Fill, GenerationId, Part, PassedGap, ProjectorName, ProjectorRecord, Scope, Table, Timestamp,
    WaitingEvent, WantedState,
};
use crate::postgres::Database;
use crate::read_store::stored::{read_word, write_json};
use crate::read_store::{
    Answer, Claim, Claimed, HostRecord, InlineStanding, Owner, Query, ReadStore, RowReader,
    SeenHost, StoreError, Swap, TakeOver, Writer,
};
use crate::transaction::SharedTransaction;

/// Read models in one schema of a PostgreSQL database, which several hosts may
/// share.
pub struct PostgresReadStore {
    space: Space,
}

impl PostgresReadStore {
    /// Opens a read store, and makes its schema and system tables when they are
    /// not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the server cannot be reached at the
    /// moment; [`StoreError::Unreadable`] when a newer Lantern has changed the
    /// system tables; [`StoreError::Broken`] when the role may not make them.
    pub async fn open(database: Database, options: PostgresOptions) -> Result<Self, StoreError> {
        let space = Space::new(database, options);
        migrate(&space).await?;
        Ok(Self { space })
    }
}

#[async_trait]
impl ReadStore for PostgresReadStore {
    fn writer(&self, claim: &Claim, tables: &[Table]) -> Result<Box<dyn Writer>, StoreError> {
        Ok(Box::new(PostgresWriter::new(
            self.space.clone(),
            claim,
            tables,
        )))
    }

    fn row_reader(
        &self,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError> {
        Ok(Box::new(PostgresRowReader::new(
            self.space.clone(),
            generation,
            tables,
        )))
    }

    fn inline_standing(
        &self,
        transaction: &SharedTransaction,
        name: &ProjectorName,
    ) -> Result<Option<InlineStanding>, StoreError> {
        inline::standing(&self.space, &inline::within(transaction)?, name)
    }

    fn inline_writer(
        &self,
        transaction: &SharedTransaction,
        claim: &Claim,
        tables: &[Table],
    ) -> Result<Box<dyn Writer>, StoreError> {
        let transaction = inline::within(transaction)?;
        let writer = PostgresInlineWriter::new(&self.space, transaction, claim, tables);
        Ok(Box::new(writer))
    }

    fn inline_row_reader(
        &self,
        transaction: &SharedTransaction,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError> {
        let (space, transaction) = (self.space.clone(), inline::within(transaction)?);
        let reader = PostgresInlineRowReader::new(space, transaction, generation, tables);
        Ok(Box::new(reader))
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        revision(&self.space).await
    }

    async fn projectors(&self) -> Result<Vec<ProjectorRecord>, StoreError> {
        records::projectors(&self.space).await
    }

    async fn checkpoint(&self, generation: GenerationId) -> Result<Option<Checkpoint>, StoreError> {
        records::checkpoint(&self.space, generation).await
    }

    async fn owner_of(&self, table: &str) -> Result<Option<ProjectorName>, StoreError> {
        let mut connection = self.space.pool().acquire().await.map_err(failed)?;
        let owner = ownership::owner_of(&mut connection, &self.space, table).await?;
        owner.as_deref().map(read_word).transpose()
    }

    async fn begin_scoped(
        &self,
        description: &Description,
        digest: &Digest,
        newest: Option<GenerationId>,
        scope: &Scope,
    ) -> Result<GenerationId, StoreError> {
        generations::begin(&self.space, description, digest, newest, scope).await
    }

    async fn adopt(
        &self,
        generation: GenerationId,
        description: &Description,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        generations::adopt(&self.space, generation, description, digest).await
    }

    async fn abandon(&self, generation: GenerationId) -> Result<(), StoreError> {
        generations::abandon(&self.space, generation).await
    }

    async fn claim(&self, generation: GenerationId, owner: &Owner) -> Result<Claimed, StoreError> {
        leases::claim(&self.space, generation, owner).await
    }

    async fn release(&self, generation: GenerationId, owner: &Owner) -> Result<(), StoreError> {
        leases::release(&self.space, generation, owner).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn set_file(
        &self,
        name: &ProjectorName,
        file: Option<&str>,
        digest: Option<&Digest>,
        host: &str,
    ) -> Result<(), StoreError> {
        let set = self.space.sql(
            "UPDATE lantern.projectors SET file = $1, file_digest = $2, file_host = $3 \
             WHERE name = $4",
        );
        let set = sqlx::query(set)
            .bind(file)
            .bind(digest.map(|digest| &digest.0))
            .bind(file.map(|_| host))
            .bind(name.as_str());
        self.change_one(set, || StoreError::NoProjector(name.to_string()))
            .await
    }

    async fn keep_component(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        components::keep(&self.space, digest, bytes).await
    }

    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        components::find(&self.space, digest).await
    }

    async fn set_wanted(
        &self,
        name: &ProjectorName,
        wanted: WantedState,
    ) -> Result<(), StoreError> {
        let set = self
            .space
            .sql("UPDATE lantern.projectors SET wanted = $1 WHERE name = $2");
        let set = sqlx::query(set).bind(wanted.as_str()).bind(name.as_str());
        self.change_one(set, || StoreError::NoProjector(name.to_string()))
            .await
    }

    async fn set_failure(
        &self,
        generation: GenerationId,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError> {
        let set = self
            .space
            .sql("UPDATE lantern.generations SET failure = $1 WHERE id = $2");
        let set = sqlx::query(set)
            .bind(failure.map(write_json).transpose()?)
            .bind(generation.0);
        self.change_one(set, || StoreError::NoGeneration(generation))
            .await
    }

    async fn dead_letters(
        &self,
        generation: GenerationId,
        choice: &DeadLetterChoice,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        dead_letters::find(&self.space, generation, choice, limit).await
    }

    async fn waiting(&self, generation: GenerationId) -> Result<Vec<WaitingEvent>, StoreError> {
        waiting::find(&self.space, generation).await
    }

    async fn release_waiting(
        &self,
        generation: GenerationId,
        tenant: Option<&str>,
        entity: &str,
    ) -> Result<u64, StoreError> {
        waiting::release(&self.space, generation, tenant, entity).await
    }

    async fn ask_dead_letters(
        &self,
        generation: GenerationId,
        choice: &DeadLetterChoice,
        request: DeadLetterRequest,
    ) -> Result<u64, StoreError> {
        dead_letters::ask(&self.space, generation, choice, request).await
    }

    async fn note_run(
        &self,
        generation: GenerationId,
        began_at: Timestamp,
    ) -> Result<(), StoreError> {
        runs::note(&self.space, generation, began_at).await
    }

    async fn last_run(&self, generation: GenerationId) -> Result<Option<Timestamp>, StoreError> {
        runs::last(&self.space, generation).await
    }

    async fn build_indexes(&self, generation: GenerationId) -> Result<(), StoreError> {
        tables::build_indexes(&self.space, generation).await
    }

    async fn swap(&self, generation: GenerationId) -> Result<Swap, StoreError> {
        swap::swap(&self.space, generation).await
    }

    async fn take_over(&self, live: &Claim, part: GenerationId) -> Result<TakeOver, StoreError> {
        take_over::take_over(&self.space, live, part).await
    }

    async fn roll_back(&self, name: &ProjectorName) -> Result<GenerationId, StoreError> {
        swap::roll_back(&self.space, name).await
    }

    async fn drop_projector(&self, name: &ProjectorName) -> Result<(), StoreError> {
        tables::drop_projector(&self.space, name).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        tables::drop_unrecorded(&self.space).await?;
        components::sweep(&self.space).await
    }

    async fn heartbeat(&self, host: &HostRecord) -> Result<(), StoreError> {
        leases::heartbeat(&self.space, host).await
    }

    async fn hosts(&self) -> Result<Vec<SeenHost>, StoreError> {
        leases::hosts(&self.space).await
    }

    async fn note_gap(&self, gap: &PassedGap) -> Result<(), StoreError> {
        gaps::note(&self.space, gap).await
    }

    async fn gaps(&self, limit: usize) -> Result<(u64, Vec<PassedGap>), StoreError> {
        gaps::latest(&self.space, limit).await
    }

    async fn query(&self, query: &Query) -> Result<Answer, StoreError> {
        question::answer(&self.space, query).await
    }

    async fn size_of(&self, generation: GenerationId) -> Result<Option<u64>, StoreError> {
        tables::size_of(&self.space, generation).await
    }

    async fn count_rows(
        &self,
        generation: GenerationId,
        part: Option<&Part>,
    ) -> Result<u64, StoreError> {
        measures::count_rows(&self.space, generation, part).await
    }

    async fn note_fill(&self, generation: GenerationId, fill: Fill) -> Result<(), StoreError> {
        measures::note(&self.space, generation, fill).await
    }

    async fn fill_of(&self, generation: GenerationId) -> Result<Fill, StoreError> {
        measures::of(&self.space, generation).await
    }
}

impl PostgresReadStore {
    /// Changes one record; `missing` says what is wrong when it is not there.
    async fn change_one(
        &self,
        set: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
        missing: impl FnOnce() -> StoreError,
    ) -> Result<(), StoreError> {
        let mut change = RecordChange::begin(&self.space).await?;
        let changed = set.execute(&mut *change).await.map_err(failed)?;
        if changed.rows_affected() == 0 {
            return Err(missing());
        }
        change.commit().await
    }
}

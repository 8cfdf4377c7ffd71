//! The store: its connections, and who does what.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::SqlitePool;

use super::change::{RecordChange, revision};
use super::connection::{open_reader, open_reading, open_writer, open_writing};
use super::error::{failed, row_failed};
use super::inline::{SqliteInlineRowReader, SqliteInlineWriter};
use super::options::SqliteOptions;
use super::reader::SqliteRowReader;
use super::writer::{SqliteWriter, Turn};
use super::{
    dead_letters, gaps, generations, inline, measures, ownership, question, records, runs, swap,
    tables, take_over, waiting,
};
use crate::model::{
    Checkpoint, DeadLetter, DeadLetterChoice, DeadLetterRequest, Description, Digest, Failure,
    Fill, GenerationId, Part, PassedGap, ProjectorName, ProjectorRecord, Scope, Table, Timestamp,
    WaitingEvent, WantedState,
};
use crate::read_store::stored::{read_json, read_word, write_json};
use crate::read_store::{
    Answer, Claim, Claimed, HostRecord, InlineStanding, Owner, Query, ReadStore, RowReader,
    SeenHost, StoreError, Swap, TakeOver, Writer,
};
use crate::transaction::SharedTransaction;

/// Read models in a SQLite file, which may also hold the event store.
pub struct SqliteReadStore {
    path: PathBuf,
    options: SqliteOptions,
    writing: SqlitePool,
    reading: SqlitePool,
    turn: Turn,
}

impl SqliteReadStore {
    /// Opens a read store, and makes its file, folders and system tables when
    /// they are not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the file cannot be opened at the moment;
    /// [`StoreError::Unreadable`] when a newer Lantern has changed its tables.
    pub async fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let writing = open_writing(&path, &options).await?;
        let reading = open_reading(&path, &options);
        Ok(Self {
            path,
            options,
            writing,
            reading,
            turn: Turn::default(),
        })
    }
}

#[async_trait]
impl ReadStore for SqliteReadStore {
    fn writer(&self, claim: &Claim, tables: &[Table]) -> Result<Box<dyn Writer>, StoreError> {
        let connection = open_writer(&self.path, &self.options).map_err(row_failed)?;
        Ok(Box::new(SqliteWriter::new(
            connection,
            self.turn.clone(),
            claim,
            tables,
        )))
    }

    fn row_reader(
        &self,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError> {
        let connection = open_reader(&self.path, &self.options).map_err(row_failed)?;
        Ok(Box::new(SqliteRowReader::new(
            connection, generation, tables,
        )))
    }

    fn inline_standing(
        &self,
        transaction: &SharedTransaction,
        name: &ProjectorName,
    ) -> Result<Option<InlineStanding>, StoreError> {
        inline::standing(&inline::connection(transaction)?.lock(), name)
    }

    fn inline_writer(
        &self,
        transaction: &SharedTransaction,
        claim: &Claim,
        tables: &[Table],
    ) -> Result<Box<dyn Writer>, StoreError> {
        let connection = inline::connection(transaction)?;
        Ok(Box::new(SqliteInlineWriter::new(connection, claim, tables)))
    }

    fn inline_row_reader(
        &self,
        transaction: &SharedTransaction,
        generation: GenerationId,
        tables: &[Table],
    ) -> Result<Box<dyn RowReader>, StoreError> {
        let connection = inline::connection(transaction)?;
        let reader = SqliteInlineRowReader::new(connection, generation, tables);
        Ok(Box::new(reader))
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        revision(&self.reading).await
    }

    async fn projectors(&self) -> Result<Vec<ProjectorRecord>, StoreError> {
        let mut transaction = self.reading.begin().await.map_err(failed)?;
        records::projectors(&mut transaction).await
    }

    async fn checkpoint(&self, generation: GenerationId) -> Result<Option<Checkpoint>, StoreError> {
        records::checkpoint(&self.reading, generation).await
    }

    async fn owner_of(&self, table: &str) -> Result<Option<ProjectorName>, StoreError> {
        let mut conn = self.reading.acquire().await.map_err(failed)?;
        let owner = ownership::owner_of(&mut conn, table).await?;
        owner.as_deref().map(read_word).transpose()
    }

    async fn begin_scoped(
        &self,
        description: &Description,
        digest: &Digest,
        newest: Option<GenerationId>,
        scope: &Scope,
    ) -> Result<GenerationId, StoreError> {
        generations::begin(&self.writing, description, digest, newest, scope).await
    }

    async fn adopt(
        &self,
        generation: GenerationId,
        description: &Description,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        generations::adopt(&self.writing, generation, description, digest).await
    }

    async fn abandon(&self, generation: GenerationId) -> Result<(), StoreError> {
        generations::abandon(&self.writing, generation).await
    }

    async fn claim(&self, generation: GenerationId, owner: &Owner) -> Result<Claimed, StoreError> {
        generations::claim(&self.writing, generation, owner).await
    }

    /// There are no leases, so there is none to give back.
    async fn release(&self, _: GenerationId, _: &Owner) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn set_file(
        &self,
        name: &ProjectorName,
        file: Option<&str>,
        digest: Option<&Digest>,
        host: &str,
    ) -> Result<(), StoreError> {
        let set = sqlx::query(
            "UPDATE lantern_projectors SET file = ?, file_digest = ?, file_host = ? WHERE name = ?",
        )
        .bind(file)
        .bind(digest.map(|digest| &digest.0))
        .bind(file.map(|_| host))
        .bind(name.as_str());
        self.change_one(set, || StoreError::NoProjector(name.to_string()))
            .await
    }

    /// The only host that uses this file has the component in its data directory.
    async fn keep_component(&self, _: &Digest, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn component(&self, _: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    async fn set_wanted(
        &self,
        name: &ProjectorName,
        wanted: WantedState,
    ) -> Result<(), StoreError> {
        let set = sqlx::query("UPDATE lantern_projectors SET wanted = ? WHERE name = ?")
            .bind(wanted.as_str())
            .bind(name.as_str());
        self.change_one(set, || StoreError::NoProjector(name.to_string()))
            .await
    }

    async fn set_failure(
        &self,
        generation: GenerationId,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError> {
        let set = sqlx::query("UPDATE lantern_generations SET failure = ? WHERE id = ?")
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
        dead_letters::find(&self.reading, generation, choice, limit).await
    }

    async fn waiting(&self, generation: GenerationId) -> Result<Vec<WaitingEvent>, StoreError> {
        waiting::find(&self.reading, generation).await
    }

    async fn release_waiting(
        &self,
        generation: GenerationId,
        tenant: Option<&str>,
        entity: &str,
    ) -> Result<u64, StoreError> {
        waiting::release(&self.writing, generation, tenant, entity).await
    }

    async fn ask_dead_letters(
        &self,
        generation: GenerationId,
        choice: &DeadLetterChoice,
        request: DeadLetterRequest,
    ) -> Result<u64, StoreError> {
        dead_letters::ask(&self.writing, generation, choice, request).await
    }

    async fn note_run(
        &self,
        generation: GenerationId,
        began_at: Timestamp,
    ) -> Result<(), StoreError> {
        runs::note(&self.writing, generation, began_at).await
    }

    async fn last_run(&self, generation: GenerationId) -> Result<Option<Timestamp>, StoreError> {
        runs::last(&self.reading, generation).await
    }

    async fn build_indexes(&self, generation: GenerationId) -> Result<(), StoreError> {
        tables::build_indexes(&self.writing, generation).await
    }

    async fn swap(&self, generation: GenerationId) -> Result<Swap, StoreError> {
        swap::swap(&self.writing, generation).await
    }

    async fn take_over(&self, live: &Claim, part: GenerationId) -> Result<TakeOver, StoreError> {
        take_over::take_over(&self.writing, live, part).await
    }

    async fn roll_back(&self, name: &ProjectorName) -> Result<GenerationId, StoreError> {
        swap::roll_back(&self.writing, name).await
    }

    async fn drop_projector(&self, name: &ProjectorName) -> Result<(), StoreError> {
        tables::drop_projector(&self.writing, name).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        tables::drop_unrecorded(&self.writing).await
    }

    async fn heartbeat(&self, host: &HostRecord) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO lantern_host (id, record) VALUES (1, ?)")
            .bind(write_json(host)?)
            .execute(&self.writing)
            .await
            .map(drop)
            .map_err(failed)
    }

    /// The one host. Whether it still lives, a lock in its data directory tells
    /// for certain; here it is taken to.
    async fn hosts(&self) -> Result<Vec<SeenHost>, StoreError> {
        let stored: Option<String> = sqlx::query_scalar("SELECT record FROM lantern_host")
            .fetch_optional(&self.reading)
            .await
            .map_err(failed)?;
        let seen = |record: String| {
            read_json(&record).map(|record| SeenHost {
                record,
                alive: true,
            })
        };
        stored.into_iter().map(seen).collect()
    }

    async fn note_gap(&self, gap: &PassedGap) -> Result<(), StoreError> {
        gaps::note(&self.writing, gap).await
    }

    async fn gaps(&self, limit: usize) -> Result<(u64, Vec<PassedGap>), StoreError> {
        gaps::latest(&self.reading, limit).await
    }

    async fn query(&self, query: &Query) -> Result<Answer, StoreError> {
        question::answer(&self.reading, query).await
    }

    async fn size_of(&self, generation: GenerationId) -> Result<Option<u64>, StoreError> {
        tables::size_of(&self.reading, generation).await
    }

    async fn count_rows(
        &self,
        generation: GenerationId,
        part: Option<&Part>,
    ) -> Result<u64, StoreError> {
        measures::count_rows(&self.reading, generation, part).await
    }

    async fn note_fill(&self, generation: GenerationId, fill: Fill) -> Result<(), StoreError> {
        measures::note(&self.writing, generation, fill).await
    }

    async fn fill_of(&self, generation: GenerationId) -> Result<Fill, StoreError> {
        measures::of(&self.reading, generation).await
    }
}

impl SqliteReadStore {
    /// Changes one record; `missing` says what is wrong when it is not there.
    async fn change_one(
        &self,
        set: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
        missing: impl FnOnce() -> StoreError,
    ) -> Result<(), StoreError> {
        let mut change = RecordChange::begin(&self.writing).await?;
        let changed = set.execute(&mut *change).await.map_err(failed)?;
        if changed.rows_affected() == 0 {
            return Err(missing());
        }
        change.commit().await
    }
}

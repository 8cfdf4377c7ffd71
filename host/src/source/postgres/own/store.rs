//! The event store, which hands the work to others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use super::announce::Announcer;
use super::append::{Appender, Terms};
use super::error::failed;
use super::import::PostgresImport;
use super::options::{PostgresOptions, Schema};
use super::ranges::after_all_that_begin_with;
use super::read::PostgresReader;
use super::schema;
use crate::model::{Checkpoint, Envelope, Event, EventFilter};
use crate::postgres::Database;
use crate::source::postgres::lookout::{Gaps, LogTable, Lookout};
use crate::source::{
    Appended, EventImport, EventReader, EventStore, ExpectedVersion, GapBook, Source, SourceError,
    StreamInfo,
};

/// An event store in a schema of a PostgreSQL database.
///
/// Any number of handles, in any number of processes, may share it: appends to
/// different streams run side by side, also with those of teams that call the
/// schema's function `lantern_append`.
pub struct PostgresEventStore {
    database: Database,
    schema: Schema,
    options: PostgresOptions,
    appender: Arc<Appender>,
    lookout: Arc<Lookout>,
    heard: Heard,
}

/// Who wants to hear of an append at once.
#[derive(Clone)]
pub(super) struct Heard {
    lookout: Arc<Lookout>,
    announcer: Arc<Announcer>,
}

impl Heard {
    /// Something was appended, and is committed.
    pub(super) fn appended(&self) {
        self.lookout.hint();
        self.announcer.announce();
    }
}

impl PostgresEventStore {
    /// Opens an event store. The schema and its tables are made if there are none.
    /// `book` is told of positions that will never be used.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unfit`] when the server, the database or the schema cannot
    /// hold an event log; the text says what to change.
    pub async fn open(
        database: Database,
        options: PostgresOptions,
        book: Arc<dyn GapBook>,
    ) -> Result<Self, SourceError> {
        let schema = Schema::new(&options.schema)?;
        schema::prepare(&database, &schema).await?;
        let events = schema.of("lantern_events");
        let log = LogTable {
            from: events.clone(),
            position: "position".into(),
            has_index: true,
            relations: vec![events, schema.of("lantern_event_positions")],
            gaps: match options.gaps_ignored {
                true => Gaps::Ignore,
                // Positions are taken within the transactions that use them.
                false => Gaps::Prove {
                    grace: Duration::ZERO,
                },
            },
            channel: Some(schema.channel()),
        };
        let lookout = Arc::new(Lookout::start(database.clone(), log, book).await?);
        let announcer = Arc::new(Announcer::start(database.clone(), &schema));
        Ok(Self {
            appender: Arc::new(Appender::new(&schema, &options)),
            heard: Heard {
                lookout: Arc::clone(&lookout),
                announcer,
            },
            lookout,
            database,
            schema,
            options,
        })
    }
}

#[async_trait]
impl Source for PostgresEventStore {
    async fn head(&self) -> Result<Checkpoint, SourceError> {
        self.lookout.head().await
    }

    fn news(&self) -> watch::Receiver<Checkpoint> {
        self.lookout.subscribe()
    }

    fn held_back(&self) -> Option<String> {
        self.lookout.held_back()
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        Ok(Box::new(PostgresReader::new(
            self.database.clone(),
            Arc::clone(&self.lookout),
            &self.schema,
            filter,
            needs,
        )))
    }
}

#[async_trait]
impl EventStore for PostgresEventStore {
    async fn append(
        &self,
        events: Vec<Event>,
        expected: Vec<ExpectedVersion>,
    ) -> Result<Appended, SourceError> {
        let (database, appender) = (self.database.clone(), Arc::clone(&self.appender));
        let (heard, terms) = (self.heard.clone(), Terms::of(&self.options));
        // A task of its own: the caller may go away before the answer, and what was
        // appended is to be announced all the same.
        let append = tokio::spawn(async move {
            let mut conn = database.pool().acquire().await.map_err(failed)?;
            let done = appender
                .append(&mut conn, terms, &events, &expected)
                .await?;
            if done.appended > 0 {
                heard.appended();
            }
            Ok(done)
        });
        append
            .await
            .unwrap_or_else(|error| Err(SourceError::Broken(error.into())))
    }

    async fn import(&self) -> Result<Box<dyn EventImport>, SourceError> {
        let import = PostgresImport::begin(
            &self.database,
            &self.schema,
            &self.options,
            Arc::clone(&self.appender),
            self.heard.clone(),
        );
        Ok(Box::new(import.await?))
    }

    async fn streams(&self, prefix: &str, limit: usize) -> Result<Vec<StreamInfo>, SourceError> {
        // No name has a NUL, and PostgreSQL would not even take the question.
        if prefix.contains('\0') {
            return Ok(Vec::new());
        }
        let list = format!(
            "SELECT tenant, name, version FROM {} \
             WHERE name >= $1 AND ($2::text IS NULL OR name < $2) ORDER BY name, tenant LIMIT $3",
            self.schema.of("lantern_streams")
        );
        let rows: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(list))
            .bind(prefix)
            .bind(after_all_that_begin_with(prefix))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let streams = rows
            .into_iter()
            .map(|(tenant, stream, version)| StreamInfo {
                tenant,
                stream,
                version: version as u64,
            });
        Ok(streams.collect())
    }
}

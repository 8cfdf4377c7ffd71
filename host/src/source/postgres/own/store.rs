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
use super::inline::Inline;
use super::options::{PostgresOptions, Schema};
use super::ranges::after_all_that_begin_with;
use super::read::PostgresReader;
use super::schema;
use crate::model::{Checkpoint, Envelope, Event, EventFilter};
use crate::postgres::Database;
use crate::source::postgres::lookout::{Gaps, LogTable, Lookout};
use crate::source::{
    Appended, EventImport, EventReader, EventStore, ExpectedVersion, GapBook, Held, InlineWork,
    Source, SourceError, StreamInfo,
};

/// An event store in a schema of a PostgreSQL database.
///
/// Any number of handles, in any number of processes, may share it: appends to
/// different streams run side by side, also with those of teams that call the
/// schema's function `lantern_append`.
pub struct PostgresEventStore {
    log: Log,
    options: PostgresOptions,
    appender: Arc<Appender>,
    inline: Arc<Inline>,
    heard: Heard,
}

/// Where the log is, and how far it may be read.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) database: Database,
    pub(super) schema: Schema,
    pub(super) lookout: Arc<Lookout>,
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
        let log = Log {
            database,
            schema,
            lookout: Arc::clone(&lookout),
        };
        Ok(Self {
            appender: Arc::new(Appender::new(&log.schema, &options)),
            heard: Heard { lookout, announcer },
            inline: Arc::new(Inline::new(log.clone(), options.clone())),
            log,
            options,
        })
    }
}

#[async_trait]
impl Source for PostgresEventStore {
    async fn head(&self) -> Result<Checkpoint, SourceError> {
        self.log.lookout.head().await
    }

    fn news(&self) -> watch::Receiver<Checkpoint> {
        self.log.lookout.subscribe()
    }

    async fn hold_inline(&self, projector: &str) -> Result<Option<Held>, SourceError> {
        self.inline.hold(projector).await
    }

    fn held_back(&self) -> Option<String> {
        self.log.lookout.held_back()
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        Ok(Box::new(PostgresReader::new(
            self.log.database.clone(),
            Arc::clone(&self.log.lookout),
            &self.log.schema,
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
        let (database, appender) = (self.log.database.clone(), Arc::clone(&self.appender));
        let (heard, terms) = (self.heard.clone(), Terms::of(&self.options));
        let inline = Arc::clone(&self.inline);
        // A task of its own: the caller may go away before the answer, and what was
        // appended is to be announced all the same.
        let append = tokio::spawn(async move {
            let alone = async || {
                let mut conn = database.pool().acquire().await.map_err(failed)?;
                appender.append(&mut conn, terms, &events, &expected).await
            };
            let in_company = async || inline.append(&appender, &events, &expected).await;
            let mut done = match inline.is_usual() {
                true => in_company().await?,
                false => None,
            };
            while done.is_none() {
                // That there are inline projectors may be found out only now.
                done = match alone().await {
                    Err(SourceError::NotInline(_)) => in_company().await?,
                    done => Some(done?),
                };
            }
            let done = done.unwrap_or_default();
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
            &self.log,
            &self.options,
            Arc::clone(&self.appender),
            Arc::clone(&self.inline),
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
            self.log.schema.of("lantern_streams")
        );
        let rows: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(list))
            .bind(prefix)
            .bind(after_all_that_begin_with(prefix))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.log.database.pool())
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

    fn run_inline_by(&self, work: Arc<dyn InlineWork>) {
        self.inline.run_by(work);
    }

    async fn inline(&self) -> Result<Vec<String>, SourceError> {
        let mut conn = self.log.database.pool().acquire().await.map_err(failed)?;
        self.inline.list(&mut conn).await
    }

    async fn begin_inline(&self, projector: &str) -> Result<(), SourceError> {
        let (inline, projector) = (Arc::clone(&self.inline), projector.to_owned());
        let entered = tokio::spawn(async move { inline.enter(&projector).await });
        entered
            .await
            .unwrap_or_else(|error| Err(SourceError::Broken(error.into())))
    }

    async fn end_inline(&self, projector: &str) -> Result<(), SourceError> {
        self.inline.leave(projector).await
    }
}

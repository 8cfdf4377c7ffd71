//! The event store, which hands the work to others.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use super::append::Writer;
use super::connection::{Database, SqliteOptions};
use super::import::SqliteImport;
use super::inline;
use super::news::{News, read_head};
use super::read::SqliteReader;
use super::schema;
use crate::model::{Checkpoint, Envelope, Event, EventFilter, Timestamp};
use crate::source::{
    Appended, EventImport, EventReader, EventStore, ExpectedVersion, Held, InlineWork, MOST_HELD,
    Source, SourceError, StreamInfo,
};

/// An event store in a SQLite file.
///
/// Several handles, in one process or in many, may share a file: they append one
/// after the other, and read without waiting for anyone.
pub struct SqliteEventStore {
    database: Database,
    /// Waited for with a time limit, hence not a std mutex.
    writer: Arc<AsyncMutex<Writer>>,
    /// For the small questions.
    questions: Arc<Mutex<Connection>>,
    news: News,
    inline: OnceLock<Arc<dyn InlineWork>>,
}

impl SqliteEventStore {
    /// Opens an event store. The file, its folders and its tables are made if
    /// there are none.
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, SourceError> {
        // The working directory may change later; the file must not.
        let path = std::path::absolute(path).map_err(|error| SourceError::Broken(error.into()))?;
        let database = Database { path, options };
        schema::prepare(&database).await?;
        blocking(move || {
            Ok(Self {
                writer: Arc::new(AsyncMutex::new(Writer::new(
                    database.writer()?,
                    database.options.busy_timeout,
                ))),
                questions: Arc::new(Mutex::new(database.reader()?)),
                news: News::start(&database)?,
                inline: OnceLock::new(),
                database,
            })
        })
        .await
    }

    /// The writer, when it is free within the busy timeout.
    async fn writer(&self) -> Result<OwnedMutexGuard<Writer>, SourceError> {
        let free = Arc::clone(&self.writer).lock_owned();
        tokio::time::timeout(self.database.options.busy_timeout, free)
            .await
            .map_err(|_| SourceError::Unavailable("another append or import takes too long".into()))
    }

    async fn ask<T, F>(&self, question: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let questions = Arc::clone(&self.questions);
        blocking(move || {
            // A question that panicked has left nothing half done.
            let conn = questions.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(question(&conn)?)
        })
        .await
    }
}

#[async_trait]
impl Source for SqliteEventStore {
    async fn head(&self) -> Result<Checkpoint, SourceError> {
        self.ask(|conn| Ok(Checkpoint::at(read_head(conn)?))).await
    }

    fn news(&self) -> watch::Receiver<Checkpoint> {
        self.news.subscribe()
    }

    async fn hold_inline(&self, projector: &str) -> Result<Option<Held>, SourceError> {
        let mut writer = self.writer().await?;
        let projector = projector.to_owned();
        let is_held = blocking(move || {
            let until = Timestamp::now()
                .0
                .saturating_add(MOST_HELD.as_micros() as i64);
            writer.hold(&projector, Timestamp(until))
        });
        let hold = is_held.await?.then(|| inline::Hold(self.writer.clone()));
        Ok(hold.map(|hold| Box::new(hold) as Held))
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        let conn = self.database.reader()?;
        Ok(Box::new(SqliteReader::new(conn, filter, needs)))
    }
}

#[async_trait]
impl EventStore for SqliteEventStore {
    async fn append(
        &self,
        events: Vec<Event>,
        expected: Vec<ExpectedVersion>,
    ) -> Result<Appended, SourceError> {
        let mut writer = self.writer().await?;
        let announcer = self.news.announcer();
        let inline = self.inline.get().cloned();
        // Announced in there, too: the caller may have gone away by then.
        blocking(move || {
            let done = writer.append(&events, &expected, inline.as_deref())?;
            announcer.announce(done.last_position);
            Ok(done)
        })
        .await
    }

    async fn import(&self) -> Result<Box<dyn EventImport>, SourceError> {
        let writer = self.writer().await?;
        let announcer = self.news.announcer();
        let inline = self.inline.get().cloned();
        let import = blocking(move || SqliteImport::begin(writer, announcer, inline)).await?;
        Ok(Box::new(import))
    }

    async fn streams(&self, prefix: &str, limit: usize) -> Result<Vec<StreamInfo>, SourceError> {
        let prefix = prefix.to_owned();
        self.ask(move |conn| list_streams(conn, &prefix, limit))
            .await
    }

    fn run_inline_by(&self, work: Arc<dyn InlineWork>) {
        // Whoever came first goes on.
        let _ = self.inline.set(work);
    }

    async fn inline(&self) -> Result<Vec<String>, SourceError> {
        self.ask(inline::list).await
    }

    async fn begin_inline(&self, projector: &str) -> Result<(), SourceError> {
        let mut writer = self.writer().await?;
        let (projector, work) = (projector.to_owned(), self.inline.get().cloned());
        blocking(move || writer.begin_inline(&projector, work.as_deref())).await
    }

    async fn end_inline(&self, projector: &str) -> Result<(), SourceError> {
        let mut writer = self.writer().await?;
        let projector = projector.to_owned();
        blocking(move || writer.end_inline(&projector)).await
    }
}

fn list_streams(
    conn: &Connection,
    prefix: &str,
    limit: usize,
) -> rusqlite::Result<Vec<StreamInfo>> {
    // Names with the same beginning lie together, from the beginning itself on.
    let mut list = conn.prepare_cached(
        "SELECT t.name, s.name, s.version FROM lantern_streams s \
         JOIN lantern_tenants t ON t.id = s.tenant \
         WHERE s.name >= ?1 ORDER BY s.name, t.name",
    )?;
    let mut rows = list.query([prefix])?;
    let mut streams = Vec::new();
    while streams.len() < limit
        && let Some(row) = rows.next()?
    {
        let stream: String = row.get(1)?;
        if !stream.starts_with(prefix) {
            break;
        }
        streams.push(StreamInfo {
            tenant: row.get(0)?,
            stream,
            version: row.get::<_, i64>(2)? as u64,
        });
    }
    Ok(streams)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(SourceError::Broken(error.into())))
}

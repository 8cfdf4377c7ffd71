//! Appends that run inline projectors, one at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::append::{Appender, Terms, milliseconds};
use super::error::failed;
use super::options::PostgresOptions;
use super::read::PostgresReader;
use super::schema::connect;
use super::store::Log;
use super::turns;
use crate::model::{Envelope, Event, EventFilter};
use crate::source::{
    Appended, EventReader, ExpectedVersion, Held, InlineWork, MOST_HELD, OpenAppend, SourceError,
};
use crate::transaction::{PostgresTransaction, SharedTransaction};

/// How long a transaction may stay silent before the server ends it: who stops in
/// the middle of an append, or is cut off, must not keep all others from theirs. A
/// component that is loaded meanwhile takes some seconds at the most.
const SILENCE: Duration = Duration::from_secs(30);

/// Appends in company: events and inline projectors in one transaction, on a
/// connection of their own.
pub(super) struct Inline {
    log: Log,
    options: PostgresOptions,
    work: OnceLock<Arc<dyn InlineWork>>,
    /// Held for the length of an append. Empty before the first, and after one
    /// that failed.
    connection: Mutex<Option<PgConnection>>,
    /// Whether there were inline projectors when this process last looked.
    is_usual: AtomicBool,
}

/// What a transaction is begun for.
#[derive(Clone, Copy)]
enum Purpose {
    Append,
    /// As long as whoever brings the events needs for them.
    Import,
    /// Everybody who wants to append queues behind it.
    Change,
    /// As a change, and for a short time.
    Hold,
}

impl Inline {
    pub(super) fn new(log: Log, options: PostgresOptions) -> Self {
        Self {
            log,
            options,
            work: OnceLock::new(),
            connection: Mutex::new(None),
            is_usual: AtomicBool::new(false),
        }
    }

    /// Whether an append had better begin with this way.
    pub(super) fn is_usual(&self) -> bool {
        self.is_usual.load(Ordering::Relaxed)
    }

    pub(super) fn run_by(&self, work: Arc<dyn InlineWork>) {
        // Whoever came first goes on.
        let _ = self.work.set(work);
    }

    pub(super) fn work(&self) -> Option<&Arc<dyn InlineWork>> {
        self.work.get()
    }

    /// The projectors on the list, in name order.
    pub(super) async fn list(&self, conn: &mut PgConnection) -> Result<Vec<String>, SourceError> {
        let list = format!("SELECT projector FROM {} ORDER BY projector", self.table());
        sqlx::query_scalar(AssertSqlSafe(list))
            .fetch_all(conn)
            .await
            .map_err(failed)
    }

    /// Appends events and has the projectors on the list follow them. `None` when
    /// there is none on it: then anybody may append in any other way.
    pub(super) async fn append(
        &self,
        appender: &Appender,
        events: &[Event],
        expected: &[ExpectedVersion],
    ) -> Result<Option<Appended>, SourceError> {
        let work = self.ready_work().await?;
        let mut slot = self.turn().await?;
        let mut conn = self.take(&mut slot).await?;
        let numbered = appender.number(&mut conn, events).await?;
        let projectors = self.begin(&mut conn, Purpose::Append).await?;
        self.is_usual
            .store(!projectors.is_empty(), Ordering::Relaxed);
        if projectors.is_empty() {
            sqlx::query("ROLLBACK")
                .execute(&mut conn)
                .await
                .map_err(failed)?;
            *slot = Some(conn);
            return Ok(None);
        }
        let terms = Terms::of(&self.options);
        let done = appender
            .append_within(&mut conn, terms, events, &numbered, expected)
            .await?;
        *slot = self.finish(conn, work, projectors).await?;
        Ok(Some(done))
    }

    /// Begins a transaction in which a long import can be made; brings the
    /// projectors that are to follow it.
    pub(super) async fn begin_import(
        &self,
        conn: &mut PgConnection,
    ) -> Result<Vec<String>, SourceError> {
        self.begin(conn, Purpose::Import).await
    }

    /// See `EventStore::begin_inline`.
    pub(super) async fn enter(&self, projector: &str) -> Result<(), SourceError> {
        let work = self.ready_work().await?;
        let mut slot = self.turn().await?;
        let mut conn = self.take(&mut slot).await?;
        let mut projectors = self.begin(&mut conn, Purpose::Change).await?;
        let enter = format!(
            "INSERT INTO {} (projector) VALUES ($1) ON CONFLICT DO NOTHING",
            self.table()
        );
        sqlx::query(AssertSqlSafe(enter))
            .bind(projector)
            .execute(&mut conn)
            .await
            .map_err(failed)?;
        if !projectors.iter().any(|name| name == projector) {
            projectors.push(projector.to_owned());
        }
        *slot = self.finish(conn, work, projectors).await?;
        Ok(())
    }

    /// See `EventStore::end_inline`.
    pub(super) async fn leave(&self, projector: &str) -> Result<(), SourceError> {
        let leave = format!("DELETE FROM {} WHERE projector = $1", self.table());
        sqlx::query(AssertSqlSafe(leave))
            .bind(projector)
            .execute(self.log.database.pool())
            .await
            .map(drop)
            .map_err(failed)
    }

    /// See `Source::hold_inline`.
    pub(super) async fn hold(&self, projector: &str) -> Result<Option<Held>, SourceError> {
        let mut conn = connect(&self.log.database).await?;
        let projectors = self.begin(&mut conn, Purpose::Hold).await?;
        // A connection that is dropped takes its turn with it.
        let is_inline = projectors.iter().any(|name| name == projector);
        Ok(is_inline.then(|| Box::new(Mutex::new(conn)) as Held))
    }

    /// Runs the projectors and commits; brings the connection back for the next.
    /// Without a commit the connection is closed, which takes everything back.
    pub(super) async fn finish(
        &self,
        conn: PgConnection,
        work: Arc<dyn InlineWork>,
        projectors: Vec<String>,
    ) -> Result<Option<PgConnection>, SourceError> {
        let open = OpenPostgresAppend {
            transaction: PostgresTransaction::new(self.log.database.clone(), conn),
            log: self.log.clone(),
        };
        let transaction = open.transaction.clone();
        let running = work.clone();
        let ran = tokio::task::spawn_blocking(move || running.run(&open, &projectors)).await;
        let committed = match ran {
            Ok(Ok(())) => sqlx::query("COMMIT")
                .execute(&mut *transaction.lock().await)
                .await
                .map(drop)
                .map_err(failed),
            Ok(Err(error)) => Err(error),
            Err(died) => Err(SourceError::Broken(died.into())),
        };
        work.ended(committed.is_ok());
        committed.map(|()| transaction.into_connection())
    }

    async fn ready_work(&self) -> Result<Arc<dyn InlineWork>, SourceError> {
        match self.work.get() {
            Some(work) => Ok(work.clone()),
            None => {
                let mut conn = self.log.database.pool().acquire().await.map_err(failed)?;
                Err(SourceError::NotInline(self.list(&mut conn).await?))
            }
        }
    }

    /// This process's own turn, had within the busy timeout.
    async fn turn(&self) -> Result<MutexGuard<'_, Option<PgConnection>>, SourceError> {
        tokio::time::timeout(self.options.busy_timeout, self.connection.lock())
            .await
            .map_err(|_| SourceError::Unavailable("another append takes too long".into()))
    }

    /// The kept connection, or a new one. It is not kept on before all went well.
    async fn take(&self, slot: &mut Option<PgConnection>) -> Result<PgConnection, SourceError> {
        if let Some(mut conn) = slot.take()
            && conn.ping().await.is_ok()
        {
            return Ok(conn);
        }
        connect(&self.log.database).await
    }

    /// Begins a transaction in which nobody else appends, and reads the list.
    async fn begin(
        &self,
        conn: &mut PgConnection,
        purpose: Purpose,
    ) -> Result<Vec<String>, SourceError> {
        let patience = self.options.busy_timeout;
        let silence = match purpose {
            Purpose::Import => Duration::ZERO,
            Purpose::Append | Purpose::Change => SILENCE,
            Purpose::Hold => MOST_HELD,
        };
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
             SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL lantern.inline = 'on'",
            silence.as_millis(),
        );
        let turn = self.log.schema.turn(true);
        let wait = format!("SET LOCAL lock_timeout = {}", milliseconds(patience));
        let rest = match purpose {
            // One among others, each of which takes its turn.
            Purpose::Append => format!("{begin}; {wait}; {turn}"),
            Purpose::Import | Purpose::Change | Purpose::Hold => {
                turns::begin(conn, &begin, &turn, patience).await?;
                wait
            }
        };
        sqlx::raw_sql(AssertSqlSafe(rest))
            .execute(&mut *conn)
            .await
            .map_err(failed)?;
        self.list(conn).await
    }

    fn table(&self) -> String {
        self.log.schema.of("lantern_inline")
    }
}

struct OpenPostgresAppend {
    transaction: PostgresTransaction,
    log: Log,
}

impl OpenAppend for OpenPostgresAppend {
    fn transaction(&self) -> SharedTransaction {
        SharedTransaction::Postgres(self.transaction.clone())
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        let Log {
            database,
            lookout,
            schema,
        } = self.log.clone();
        let reader = PostgresReader::new(database, lookout, &schema, filter, needs);
        Ok(Box::new(reader.within(self.transaction.clone())))
    }
}

//! The tables of the event log.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tokio::time::Instant;

use super::connection::Database;
use crate::source::SourceError;

/// Where the applied migrations are recorded. Not sqlx's own default name: read
/// models in the same file have migrations of their own.
const MIGRATIONS_TABLE: &str = "lantern_event_log_migrations";

/// The page size of a new file. Against SQLite's 4096 an import takes a quarter
/// less time and a read a tenth less, as fewer pages hold more neighbours; a
/// single append writes about six pages either way.
const PAGE_BYTES: u32 = 8_192;

/// Time between two tries when others open the same new file.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Makes the file if there is none and brings its tables to the present form.
pub(super) async fn prepare(database: &Database) -> Result<(), SourceError> {
    if let Some(folder) = database.path.parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| SourceError::Unavailable(error.into()))?;
    }
    // The busy timeout does not cover the switch to write-ahead logging, so of
    // several hosts that start on a new file one may be turned away.
    let deadline = Instant::now() + database.options.busy_timeout;
    loop {
        match migrate(database).await {
            Err(error) if error.is_transient() && Instant::now() < deadline => {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            done => return done,
        }
    }
}

async fn migrate(database: &Database) -> Result<(), SourceError> {
    let options = SqliteConnectOptions::new()
        .filename(&database.path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(database.options.busy_timeout);
    let mut conn = SqliteConnection::connect_with(&options)
        .await
        .map_err(failed)?;
    let migrator = migrator();
    if !is_current(&mut conn, &migrator).await {
        // One transaction around all: of several hosts that open a new file, one
        // makes the tables and the others wait, then find them made.
        let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        // `run` would do, but its future cannot be sent between threads when
        // the connection is borrowed; sqlx keeps this one for that case.
        migrator
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|error| SourceError::Broken(error.into()))?;
        transaction.commit().await.map_err(failed)?;
    }
    conn.close().await.map_err(failed)
}

/// Asked first, without a lock: a host must be able to start while a long
/// import holds the only write lock there is.
async fn is_current(conn: &mut SqliteConnection, migrator: &Migrator) -> bool {
    let query = format!("SELECT max(version) FROM {MIGRATIONS_TABLE}");
    let applied: Result<Option<i64>, _> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(conn)
        .await;
    let newest = migrator.iter().map(|migration| migration.version).max();
    applied.is_ok_and(|version| version == newest)
}

fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(
            1,
            "event log",
            include_str!("migrations/0001_event_log.sql"),
        ),
        migration(2, "inline", include_str!("migrations/0002_inline.sql")),
        migration(
            3,
            "inline hold",
            include_str!("migrations/0003_inline_hold.sql"),
        ),
    ]);
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    migrator
}

fn failed(error: sqlx::Error) -> SourceError {
    // SQLite's primary result codes: busy, locked, i/o error, full, cannot open.
    const PASSING: [i32; 5] = [5, 6, 10, 13, 14];
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    match code {
        Some(code) if PASSING.contains(&(code & 0xff)) => SourceError::Unavailable(error.into()),
        _ => SourceError::Broken(error.into()),
    }
}

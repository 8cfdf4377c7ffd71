//! Connections to the database file, and its system tables.
//!
//! Two libraries share the file. Records go through sqlx, whose connections
//! live on threads of their own and suit async callers. Rows go through
//! rusqlite on the caller's thread: a hop to another thread for each statement
//! would cost more than the statement.

use std::path::Path;
use std::time::Duration;

use rusqlite::OpenFlags;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};
use tokio::time::Instant;

use super::error::failed;
use super::migrations::migrate;
use super::options::SqliteOptions;
use crate::read_store::{Durability, StoreError};

/// Pages in the log before a commit writes them back: 16 MB. Four times
/// SQLite's default, as a bulk load changes the same pages again and again.
const CHECKPOINT_PAGES: u32 = 4_000;

/// The size to which the log is cut back after it was written back. Without a
/// limit, one large commit would leave its size for ever.
const LOG_SIZE_LIMIT: u32 = 64 << 20;

/// Time between two tries to open a file that others are opening, too.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Connections of each pool. Records change seldom and shortly; more than one
/// is needed only while the indexes of a large generation are being made.
const POOLED: u32 = 4;

/// Opens the pool that changes records, and makes the file when there is none.
pub(super) async fn open_writing(
    path: &Path,
    options: &SqliteOptions,
) -> Result<SqlitePool, StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Unavailable(e.into()))?;
    }
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    let connect = common(path, options)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous);
    // The busy timeout does not cover the switch to write-ahead logging, so of
    // several hosts that start on a new file one may be turned away.
    let deadline = Instant::now() + options.busy_timeout;
    loop {
        match connect_and_migrate(&connect).await {
            Err(error) if error.is_transient() && Instant::now() < deadline => {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            done => return done,
        }
    }
}

async fn connect_and_migrate(connect: &SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(POOLED)
        // A full disk rolls a transaction back by itself. The driver's own rollback
        // then fails, and it takes the connection to be in a transaction for ever.
        .after_release(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_free) })
        })
        .connect_with(connect.clone());
    let pool = pool.await.map_err(failed)?;
    migrate(&pool).await?;
    Ok(pool)
}

/// Opens the pool for reading, which cannot write and never waits for those who
/// do.
pub(super) fn open_reading(path: &Path, options: &SqliteOptions) -> SqlitePool {
    let connect = common(path, options).read_only(true);
    SqlitePoolOptions::new()
        .max_connections(POOLED)
        .connect_lazy_with(connect)
}

/// Opens a connection that a writer owns.
pub(super) fn open_writer(
    path: &Path,
    options: &SqliteOptions,
) -> rusqlite::Result<rusqlite::Connection> {
    let connection = open_owned(path, options, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", cache_size(options.cache_bytes))?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT)?;
    Ok(connection)
}

/// Opens a connection that a row reader owns.
pub(super) fn open_reader(
    path: &Path,
    options: &SqliteOptions,
) -> rusqlite::Result<rusqlite::Connection> {
    let connection = open_owned(path, options, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", cache_size(options.cache_bytes / 4))?;
    Ok(connection)
}

fn open_owned(
    path: &Path,
    options: &SqliteOptions,
    flags: OpenFlags,
) -> rusqlite::Result<rusqlite::Connection> {
    // Without SQLite's own mutex: a connection belongs to one thread at a time.
    let connection =
        rusqlite::Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn common(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .pragma(
            "cache_size",
            cache_size(options.cache_bytes / 4).to_string(),
        )
        // Else an index that takes long would be told as a slow statement.
        .disable_statement_logging()
}

/// Negative means KiB to SQLite, positive means pages.
fn cache_size(bytes: u64) -> i64 {
    -i64::try_from(bytes / 1024).unwrap_or(i64::MAX)
}

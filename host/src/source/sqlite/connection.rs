//! How the database file is opened, and what its errors mean.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::source::SourceError;

/// Pages that the writer keeps in memory, in KiB. An import touches the index
/// of event ids at random places; 64 MiB holds that of about a million events.
const WRITER_CACHE_KIB: i64 = 64 * 1024;

/// The size to which the write-ahead log is cut back once it is no longer
/// needed. Without a limit, one large import would leave its size for ever.
const LOG_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// Pages in the write-ahead log before they are copied into the file: 16 MiB,
/// four times SQLite's own default. A batch of events with random ids dirties
/// thousands of index pages, most of them again with the next batch; copying
/// them less often makes such appends a quarter faster.
const CHECKPOINT_PAGES: i64 = 2_000;

/// Statements kept prepared by a connection.
const PREPARED_STATEMENTS: usize = 32;

/// How an event store in a SQLite file behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteOptions {
    /// When an append counts as done.
    pub durability: Durability,
    /// How long an append waits for another writer before it gives up with
    /// [`SourceError::Unavailable`].
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    /// Full durability, and five seconds: long enough for any ordinary append
    /// of a neighbour, short enough for a caller that waits for an answer.
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// When an append counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the disk has it: it survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: it survives a crash of the process,
    /// but a power cut may take the last appends. The log stays consistent.
    Normal,
}

/// An event store's file, and how to open it.
#[derive(Debug, Clone)]
pub(super) struct Database {
    pub(super) path: PathBuf,
    pub(super) options: SqliteOptions,
}

impl Database {
    /// Opens the connection that appends. It does not wait for the write lock.
    pub(super) fn writer(&self) -> Result<Connection, SourceError> {
        let conn = self.connect()?;
        let synchronous = match self.options.durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        conn.pragma_update(None, "synchronous", synchronous)?;
        conn.pragma_update(None, "foreign_keys", true)?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        conn.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT)?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.busy_timeout(Duration::ZERO)?;
        Ok(conn)
    }

    /// Opens a connection that only reads.
    pub(super) fn reader(&self) -> Result<Connection, SourceError> {
        let conn = self.connect()?;
        // Not the read-only flag: such a connection could neither make nor
        // recover the index of the write-ahead log after a crash.
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }

    fn connect(&self) -> Result<Connection, SourceError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(self.options.busy_timeout)?;
        conn.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        Ok(conn)
    }
}

impl From<rusqlite::Error> for SourceError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory,
            ) => SourceError::Unavailable(error.into()),
            _ => SourceError::Broken(error.into()),
        }
    }
}

//! Which errors of SQLite may pass, and which will not.

use crate::read_store::StoreError;

/// `SQLITE_BUSY`, `LOCKED`, `READONLY`, `IOERR`, `FULL` and `CANTOPEN`: the
/// file is in use or its disk is in trouble, either of which may pass.
const TRANSIENT: [i32; 6] = [5, 6, 8, 10, 13, 14];

/// `SQLITE_CONSTRAINT_UNIQUE`.
const UNIQUE: i32 = 2067;

/// Classifies an error of sqlx.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let transient = match &error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        _ => sqlx_code(&error).is_some_and(is_transient),
    };
    classified(transient, error)
}

/// Classifies an error of rusqlite.
pub(super) fn row_failed(error: rusqlite::Error) -> StoreError {
    let transient = error
        .sqlite_error()
        .is_some_and(|e| is_transient(e.extended_code));
    classified(transient, error)
}

/// Whether a unique index refused a row.
pub(super) fn is_not_unique(error: &sqlx::Error) -> bool {
    sqlx_code(error) == Some(UNIQUE)
}

/// Whether a table is not there.
pub(super) fn is_no_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| names_no_table(e.message()))
}

/// Whether a table is not there.
pub(super) fn is_no_table_for_rows(error: &rusqlite::Error) -> bool {
    names_no_table(&error.to_string())
}

/// What a unique index said when it refused a row.
pub(super) fn not_unique_message(error: &rusqlite::Error) -> Option<&str> {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(message)) if code.extended_code == UNIQUE => {
            Some(message)
        }
        _ => None,
    }
}

fn classified(
    transient: bool,
    error: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    if transient {
        StoreError::Unavailable(error.into())
    } else {
        StoreError::Broken(error.into())
    }
}

fn sqlx_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// SQLite has no code of its own for this error.
fn names_no_table(message: &str) -> bool {
    message.starts_with("no such table")
}

/// The low byte of an extended code is the primary one.
fn is_transient(extended: i32) -> bool {
    TRANSIENT.contains(&(extended & 0xff))
}

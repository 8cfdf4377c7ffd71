//! What errors of the server mean to the store.

use sqlx::postgres::PgDatabaseError;

use crate::model::{GenerationId, Table};
use crate::postgres::{Meaning, meaning};
use crate::read_store::StoreError;
use crate::read_store::schema::shown_columns;

/// `undefined_table` and `invalid_schema_name`.
const NO_TABLE: [&str; 2] = ["42P01", "3F000"];

/// `dependent_objects_still_exist`.
const DEPENDED_UPON: &str = "2BP01";

/// Classifies an error that no row of a projector has caused.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    match meaning(&error) {
        Meaning::Passing | Meaning::LockNotHad => StoreError::Unavailable(error.into()),
        Meaning::NotUnique | Meaning::BadValue | Meaning::Lasting => {
            StoreError::Broken(error.into())
        }
    }
}

/// Classifies an error met while rows of one table, or keys of it, were sent.
pub(super) fn rows_failed(
    error: sqlx::Error,
    generation: GenerationId,
    at: usize,
    table: &Table,
) -> StoreError {
    match meaning(&error) {
        Meaning::NotUnique => not_unique(&error, generation, at, table),
        Meaning::BadValue => StoreError::Refused {
            table: table.name.clone(),
            reason: reason(&error),
        },
        _ => failed(error),
    }
}

/// Whether a commit had better be tried in steps, which tell more.
pub(super) fn is_about_rows(error: &sqlx::Error) -> bool {
    matches!(meaning(error), Meaning::NotUnique | Meaning::BadValue)
}

/// Whether a table is not there.
pub(super) fn is_no_table(error: &sqlx::Error) -> bool {
    has_code(error, &NO_TABLE)
}

/// Whether something else in the database depends on what was to be dropped.
pub(super) fn is_depended_upon(error: &sqlx::Error) -> bool {
    has_code(error, &[DEPENDED_UPON])
}

/// Whether a lock was not had in time.
pub(super) fn is_lock_not_had(error: &sqlx::Error) -> bool {
    meaning(error) == Meaning::LockNotHad
}

/// What the server says about an error, beyond its message.
pub(super) fn detail(error: &sqlx::Error) -> Option<&str> {
    database_error(error)?.detail()
}

fn not_unique(
    error: &sqlx::Error,
    generation: GenerationId,
    at: usize,
    table: &Table,
) -> StoreError {
    use crate::read_store::schema::physical_index;
    let constraint = database_error(error).and_then(PgDatabaseError::constraint);
    let index =
        table.indexes.iter().enumerate().find(|(i, _)| {
            constraint.is_some_and(|name| name == physical_index(generation, at, *i))
        });
    StoreError::NotUnique {
        table: table.name.clone(),
        columns: index.map_or_else(|| reason(error), |(_, index)| shown_columns(table, index)),
    }
}

/// Message and detail, in one line.
fn reason(error: &sqlx::Error) -> String {
    let Some(error) = database_error(error) else {
        return error.to_string();
    };
    match error.detail() {
        Some(detail) => format!("{} ({detail})", error.message()),
        None => error.message().to_owned(),
    }
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    database_error(error).is_some_and(|error| codes.contains(&error.code()))
}

fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

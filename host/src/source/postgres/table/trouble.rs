//! What an error of the database means for a table that somebody else owns.

use crate::postgres::{Meaning, meaning};
use crate::source::SourceError;

/// An error that no setting is to blame for.
pub(super) fn failed(error: sqlx::Error) -> SourceError {
    match meaning(&error) {
        Meaning::Passing | Meaning::LockNotHad => SourceError::Unavailable(error.into()),
        _ if code(&error).as_deref() == Some(NO_RIGHT) => lacking(&error),
        _ => SourceError::Broken(error.into()),
    }
}

/// An error of a statement that was made from what a setting says.
pub(super) fn blamed(setting: &str, said: &str, error: sqlx::Error) -> SourceError {
    let sqlx::Error::Database(refusal) = &error else {
        return failed(error);
    };
    match code(&error).as_deref() {
        Some(NO_RIGHT) => lacking(&error),
        // Class 42: syntax, or a name that is not there.
        Some(code) if code.starts_with("42") || code == "3F000" => unfit(format!(
            "`{setting}` is `{said}`, but {}; set it to what the table has",
            refusal.message()
        )),
        _ => failed(error),
    }
}

pub(super) fn unfit(text: String) -> SourceError {
    SourceError::Unfit(text)
}

const NO_RIGHT: &str = "42501";

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn lacking(error: &sqlx::Error) -> SourceError {
    let message = error.as_database_error().map_or("", |it| it.message());
    unfit(format!(
        "{message}: let Lantern's role read it (GRANT USAGE ON SCHEMA … and GRANT SELECT ON … for \
         each table of events; it needs no other right)"
    ))
}

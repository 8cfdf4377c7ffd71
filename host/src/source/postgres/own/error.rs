//! What errors of the database mean for whoever reads or appends.

use crate::postgres::{Meaning, meaning};
use crate::source::SourceError;

/// An error of a statement, told by whether trying again may help.
pub(super) fn failed(error: sqlx::Error) -> SourceError {
    match meaning(&error) {
        Meaning::Passing | Meaning::LockNotHad => SourceError::Unavailable(error.into()),
        Meaning::NotUnique | Meaning::BadValue | Meaning::Lasting => {
            SourceError::Broken(error.into())
        }
    }
}

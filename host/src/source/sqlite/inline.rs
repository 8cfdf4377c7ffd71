//! Inline projectors of a log in a SQLite file, which also holds their rows.

use rusqlite::Connection;

use super::read::SqliteReader;
use crate::model::{Envelope, EventFilter};
use crate::source::{EventReader, InlineWork, OpenAppend, SourceError};
use crate::transaction::{SharedConnection, SharedTransaction};

/// Enters a projector into the list.
pub(super) const BEGIN: &str = "INSERT OR IGNORE INTO lantern_inline (projector) VALUES (?1)";

/// Takes a projector off the list.
pub(super) const END: &str = "DELETE FROM lantern_inline WHERE projector = ?1";

/// The projectors on the list, in name order.
pub(super) fn list(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut list =
        conn.prepare_cached("SELECT projector FROM lantern_inline ORDER BY projector")?;
    let names = list.query_map([], |row| row.get(0))?;
    names.collect()
}

/// Has the projectors on the list follow the events that the open transaction has
/// put in. Brings back who is to be told of the end, if there are any.
pub(super) fn follow<'w>(
    conn: &SharedConnection,
    work: Option<&'w dyn InlineWork>,
) -> Result<Option<&'w dyn InlineWork>, SourceError> {
    let projectors = list(&conn.lock())?;
    if projectors.is_empty() {
        return Ok(None);
    }
    let Some(work) = work else {
        return Err(SourceError::NotInline(projectors));
    };
    let append = OpenSqliteAppend(conn.clone());
    match work.run(&append, &projectors) {
        Ok(()) => Ok(Some(work)),
        Err(error) => {
            work.ended(false);
            Err(SourceError::Inline(error))
        }
    }
}

struct OpenSqliteAppend(SharedConnection);

impl OpenAppend for OpenSqliteAppend {
    fn transaction(&self) -> SharedTransaction {
        SharedTransaction::Sqlite(self.0.clone())
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        let reader = SqliteReader::within(self.0.clone(), filter, needs);
        Ok(Box::new(reader))
    }
}

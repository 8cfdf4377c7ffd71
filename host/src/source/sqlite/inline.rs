//! Inline projectors of a log in a SQLite file, which also holds their rows.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::append::Writer;
use super::read::SqliteReader;
use crate::model::{Envelope, EventFilter, Timestamp};
use crate::source::{EventReader, InlineWork, MOST_HELD, OpenAppend, SourceError};
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

/// Has appends wait until then, if they run this projector; whether they do.
pub(super) fn hold(conn: &Connection, projector: &str, until: Timestamp) -> rusqlite::Result<bool> {
    let held = conn.execute(
        "REPLACE INTO lantern_inline_hold (id, until) \
         SELECT 1, ?2 FROM lantern_inline WHERE projector = ?1",
        (projector, until.0 / 1_000),
    )?;
    Ok(held > 0)
}

/// Has appends go on.
pub(super) fn let_go(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM lantern_inline_hold", [])
        .map(drop)
}

/// Whether appends are to wait now. What is further away than anybody may hold
/// them is left by a clock that was set back.
pub(super) fn is_held(conn: &Connection) -> rusqlite::Result<bool> {
    let now = Timestamp::now().0 / 1_000;
    let most = now + i64::try_from(MOST_HELD.as_millis()).unwrap_or(0);
    let mut held = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM lantern_inline_hold WHERE until > ?1 AND until <= ?2)",
    )?;
    held.query_row((now, most), |row| row.get(0))
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
            Err(error)
        }
    }
}

/// Keeps appends waiting.
pub(super) struct Hold(pub(super) Arc<Mutex<Writer>>);

impl Drop for Hold {
    fn drop(&mut self) {
        // Should it not succeed, or the program be at its end, the time runs out.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let writer = self.0.clone();
        runtime.spawn(async move {
            let mut writer = writer.lock_owned().await;
            let _out_of_time_soon = spawn_blocking(move || writer.let_go()).await;
        });
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

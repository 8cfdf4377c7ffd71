//! Who is writing: the transactions that hold a writing lock on the log.

use std::collections::HashSet;
use std::fmt;

use sqlx::PgConnection;

use super::failed;
use crate::source::SourceError;

/// A transaction that may have taken positions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// In a session.
    Session {
        /// Its virtual transaction id.
        transaction: String,
        /// The server process.
        pid: i32,
    },
    /// Prepared for a commit in two phases, and no longer in a session. Known by its
    /// transaction id, which stays the same when the server is started again.
    Prepared(String),
}

impl Holder {
    pub(super) fn is_prepared(&self) -> bool {
        matches!(self, Holder::Prepared(_))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Session { pid, .. } => write!(f, "process {pid}"),
            Holder::Prepared(id) => write!(f, "prepared transaction {id}"),
        }
    }
}

/// A writer holds RowExclusiveLock in any case. The stronger ones are for those who
/// lock the table to give out numbers by themselves. Reading, vacuuming and building
/// an index take others. The names are looked up each time: a table may be made anew.
const HOLDERS: &str = "\
WITH held AS MATERIALIZED (
    SELECT * FROM pg_catalog.pg_locks WHERE granted
), writing AS (
    SELECT DISTINCT virtualtransaction, pid FROM held
    WHERE locktype = 'relation'
      AND database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
      AND relation = ANY ($1::text[]::regclass[]::oid[])
      AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                   'AccessExclusiveLock')
)
SELECT pg_catalog.pg_is_in_recovery(), writing.virtualtransaction, writing.pid, (
    SELECT min(own.transactionid::text) FROM held AS own
    WHERE writing.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
      AND own.mode = 'ExclusiveLock' AND own.virtualtransaction = writing.virtualtransaction)
FROM (VALUES (1)) AS always LEFT JOIN writing ON true";

/// Server is a standby; virtual transaction, process and transaction id of a writer.
type Line = (bool, Option<String>, Option<i32>, Option<String>);

/// Reads who holds a writing lock on one of `relations` now.
pub(super) async fn holders(
    conn: &mut PgConnection,
    relations: &[String],
) -> Result<HashSet<Holder>, SourceError> {
    let lines: Vec<Line> = sqlx::query_as(HOLDERS)
        .bind(relations)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    if lines.iter().any(|(is_standby, ..)| *is_standby) {
        return Err(standby());
    }
    let writers = lines.into_iter().filter_map(|(_, transaction, pid, id)| {
        let transaction = transaction?;
        Some(match pid {
            Some(pid) => Holder::Session { transaction, pid },
            None => Holder::Prepared(id.unwrap_or(transaction)),
        })
    });
    Ok(writers.collect())
}

/// What is wrong with a standby.
pub(super) fn standby() -> SourceError {
    SourceError::Unfit(
        "the event store is a standby, where it cannot be seen who is still writing; give the \
         address of the primary server"
            .into(),
    )
}

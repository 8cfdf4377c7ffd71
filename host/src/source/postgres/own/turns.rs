//! Locks for which everybody who wants to append queues, had in turns.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, sleep};

use super::append::milliseconds;
use super::error::failed;
use crate::postgres::{Meaning, meaning};
use crate::source::SourceError;

/// How long a transaction waits for a lock before it lets those pass that queue
/// behind it.
const TURN: Duration = Duration::from_millis(100);

/// How long it lets them pass.
const PAUSE: Duration = Duration::from_millis(200);

/// Begins a transaction with a lock, by the SQL for each; what the transaction
/// waits for later is without limit. `patience` is for all turns together.
///
/// # Errors
///
/// When the lock was not had; no transaction is open then.
pub(super) async fn begin(
    conn: &mut PgConnection,
    begin: &str,
    lock: &str,
    patience: Duration,
) -> Result<(), SourceError> {
    let begin = format!(
        "{begin}; SET LOCAL lock_timeout = {}; {lock}; SET LOCAL lock_timeout = 0",
        milliseconds(TURN.min(patience)),
    );
    let deadline = Instant::now() + patience;
    loop {
        let tried = sqlx::raw_sql(AssertSqlSafe(begin.clone()));
        let Err(error) = tried.execute(&mut *conn).await else {
            return Ok(());
        };
        sqlx::query("ROLLBACK")
            .execute(&mut *conn)
            .await
            .map_err(failed)?;
        if meaning(&error) != Meaning::LockNotHad || Instant::now() >= deadline {
            return Err(failed(error));
        }
        sleep(PAUSE).await;
    }
}

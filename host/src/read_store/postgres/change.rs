//! Transactions that change records.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::error::failed;
use super::space::Space;
use crate::read_store::StoreError;

/// How long a change waits for each lock that it needs. Others hold one for
/// milliseconds, save for a commit of many rows, which takes a second or two.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a transaction may be silent between two statements. Between ours
/// there is next to no work.
const SILENCE: Duration = Duration::from_secs(10);

/// A change of records. It holds the lock of the revision from its beginning, so
/// that changes of several hosts come one after the other; and it moves the
/// revision on.
pub(super) struct RecordChange<'a> {
    transaction: Transaction<'static, Postgres>,
    space: &'a Space,
}

impl<'a> RecordChange<'a> {
    pub(super) async fn begin(space: &'a Space) -> Result<Self, StoreError> {
        Self::begin_within(space, PATIENCE).await.map_err(failed)
    }

    /// Begins a change that waits no longer than `lock_wait` for each lock.
    pub(super) async fn begin_within(
        space: &'a Space,
        lock_wait: Duration,
    ) -> Result<Self, sqlx::Error> {
        let mut transaction = space.pool().begin_with(begin(lock_wait)).await?;
        sqlx::query(space.sql("SELECT number FROM lantern.revision WHERE id = 1 FOR UPDATE"))
            .execute(&mut *transaction)
            .await?;
        Ok(Self { transaction, space })
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let moved = self
            .space
            .sql("UPDATE lantern.revision SET number = number + 1 WHERE id = 1");
        sqlx::query(moved)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        self.transaction.commit().await.map_err(failed)
    }
}

impl Deref for RecordChange<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for RecordChange<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Begins a transaction that waits no longer than `lock_wait` for each lock.
pub(super) fn begin(lock_wait: Duration) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("{}; {}", begin_patiently().0, limit(lock_wait)))
}

/// Begins a transaction. A host that stops in the middle, or is cut off, must not
/// keep others from what it has locked: the server ends a transaction that it
/// hears no more of.
pub(super) fn begin_patiently() -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET LOCAL idle_in_transaction_session_timeout = '{}ms'",
        SILENCE.as_millis()
    ))
}

/// Limits the wait for each lock until the transaction ends.
pub(super) fn limit(lock_wait: Duration) -> String {
    // Zero would mean without limit.
    format!(
        "SET LOCAL lock_timeout = '{}ms'",
        lock_wait.as_millis().max(1)
    )
}

/// The revision of the records.
pub(super) async fn revision(space: &Space) -> Result<u64, StoreError> {
    let ask = space.sql("SELECT number FROM lantern.revision WHERE id = 1");
    let number: i64 = sqlx::query_scalar(ask)
        .fetch_one(space.pool())
        .await
        .map_err(failed)?;
    Ok(number as u64)
}

/// Runs a statement made for this one occasion.
pub(super) async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(drop)
}

//! Transactions that change records.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::error::failed;
use crate::read_store::StoreError;

/// A change of records. It holds the write lock from its beginning, so that
/// what it reads stays true until it commits; and it moves the revision on.
pub(super) struct RecordChange(Transaction<'static, Sqlite>);

impl RecordChange {
    pub(super) async fn begin(pool: &SqlitePool) -> Result<Self, StoreError> {
        begin_immediate(pool).await.map(Self)
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE lantern_revision SET number = number + 1")
            .execute(&mut *self.0)
            .await
            .map_err(failed)?;
        self.0.commit().await.map_err(failed)
    }
}

impl Deref for RecordChange {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for RecordChange {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// A transaction that holds the write lock from its beginning.
pub(super) async fn begin_immediate(
    pool: &SqlitePool,
) -> Result<Transaction<'static, Sqlite>, StoreError> {
    pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
}

/// The revision of the records.
pub(super) async fn revision(pool: &SqlitePool) -> Result<u64, StoreError> {
    let number: i64 = sqlx::query_scalar("SELECT number FROM lantern_revision")
        .fetch_one(pool)
        .await
        .map_err(failed)?;
    Ok(number as u64)
}

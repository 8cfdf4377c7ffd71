//! The system tables of the read store, brought up to date.

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;

use super::error::failed;
use crate::read_store::StoreError;
use crate::read_store::migrations::{TABLE, migrator, newest, refused};

/// Applies the migrations that are missing, in one transaction that holds the
/// write lock from its beginning: of several processes that start at once, one
/// applies them and the others find them applied.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let migrator = known();
    // Asked first, without a lock: a host must be able to start while another
    // process holds the only write lock there is.
    if is_current(pool, &migrator).await {
        return Ok(());
    }
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| refused(error, failed))?;
    transaction.commit().await.map_err(failed)
}

async fn is_current(pool: &SqlitePool, migrator: &Migrator) -> bool {
    let ask = sqlx::AssertSqlSafe(format!("SELECT max(version) FROM {TABLE}"));
    let applied: Result<Option<i64>, _> = sqlx::query_scalar(ask).fetch_one(pool).await;
    applied.is_ok_and(|version| version == newest(migrator))
}

fn known() -> Migrator {
    migrator(&[
        ("records", include_str!("migrations/0001_records.sql")),
        (
            "hosts and gaps",
            include_str!("migrations/0002_hosts_and_gaps.sql"),
        ),
        (
            "dead letters",
            include_str!("migrations/0003_dead_letters.sql"),
        ),
        ("runs", include_str!("migrations/0004_runs.sql")),
        ("waiting", include_str!("migrations/0005_waiting.sql")),
        (
            "scopes and fills",
            include_str!("migrations/0006_scopes_and_fills.sql"),
        ),
    ])
}

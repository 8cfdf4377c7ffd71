//! The system tables of the read store, brought up to date.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqlitePool};

use super::error::failed;
use crate::read_store::StoreError;

/// Where applied migrations are recorded. Not sqlx's own default name: an event
/// store in the same file has migrations of its own.
const TABLE: &str = "lantern_read_migrations";

/// Applies the migrations that are missing, in one transaction that holds the
/// write lock from its beginning: of several processes that start at once, one
/// applies them and the others find them applied.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let migrator = migrator();
    // Asked first, without a lock: a host must be able to start while another
    // process holds the only write lock there is.
    if is_current(pool, &migrator).await {
        return Ok(());
    }
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(refused)?;
    transaction.commit().await.map_err(failed)
}

async fn is_current(pool: &SqlitePool, migrator: &Migrator) -> bool {
    let newest = sqlx::AssertSqlSafe(format!("SELECT max(version) FROM {TABLE}"));
    let applied: Result<Option<i64>, _> = sqlx::query_scalar(newest).fetch_one(pool).await;
    applied.is_ok_and(|version| version == migrator.iter().map(|known| known.version).max())
}

fn refused(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(_) => {
            StoreError::Unreadable("they were written by a newer version of Lantern".into())
        }
        MigrateError::VersionMismatch(version) => StoreError::Unreadable(format!(
            "migration {version} is not the one that this Lantern knows"
        )),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => failed(e),
        other => StoreError::Broken(other.into()),
    }
}

fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(1, "records", include_str!("migrations/0001_records.sql")),
        migration(
            2,
            "hosts and gaps",
            include_str!("migrations/0002_hosts_and_gaps.sql"),
        ),
        migration(
            3,
            "dead letters",
            include_str!("migrations/0003_dead_letters.sql"),
        ),
        migration(4, "runs", include_str!("migrations/0004_runs.sql")),
        migration(5, "waiting", include_str!("migrations/0005_waiting.sql")),
        migration(
            6,
            "scopes and fills",
            include_str!("migrations/0006_scopes_and_fills.sql"),
        ),
    ]);
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

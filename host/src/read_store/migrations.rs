//! What both databases do to bring their system tables up to date.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::error::StoreError;

/// Where applied migrations are recorded: of the read store alone, and not under
/// sqlx's own default name, as an event store in the same database has migrations of
/// its own.
pub(super) const TABLE: &str = "lantern_read_migrations";

/// Of migrations in their order, each with its name and its SQL.
pub(super) fn migrator(migrations: &[(&'static str, &'static str)]) -> Migrator {
    let numbered = (1..).zip(migrations);
    let migrations = numbered.map(|(version, &(name, sql))| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

/// The newest one there is.
pub(super) fn newest(migrator: &Migrator) -> Option<i64> {
    migrator.iter().map(|known| known.version).max()
}

/// Why they could not be applied; `failed` tells the database's own errors apart.
pub(super) fn refused(error: MigrateError, failed: fn(sqlx::Error) -> StoreError) -> StoreError {
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

//! The system tables of the read store, brought up to date.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::error::failed;
use super::space::Space;
use crate::read_store::StoreError;
use crate::read_store::migrations::{TABLE, migrator, newest, refused};
use crate::read_store::schema::quoted;

/// Applies the migrations that are missing. Of several hosts that start at once
/// one applies them, and the others wait for it and find them applied.
pub(super) async fn migrate(space: &Space) -> Result<(), StoreError> {
    let migrator = known();
    // Asked first: whoever may not make anything can still use what is there.
    if is_current(space, &migrator).await? {
        return Ok(());
    }
    // Migrations name no schema. The search path that gives them one must not
    // come into the pool, so they have a connection of their own.
    let options = space.database.connect_options();
    let mut connection = options.connect().await.map_err(failed)?;
    let applied = apply(space, &migrator, &mut connection).await;
    // Closing also lets go of the lock, if something went wrong.
    let _gone_either_way = connection.close().await;
    applied
}

async fn apply(
    space: &Space,
    migrator: &Migrator,
    connection: &mut PgConnection,
) -> Result<(), StoreError> {
    make_schema(space, connection).await?;
    let path = AssertSqlSafe(format!("SET search_path TO {}", quoted(&space.schema)));
    sqlx::raw_sql(path)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(|error| refused(error, failed))
}

/// Makes the schema, unless it is there.
async fn make_schema(space: &Space, connection: &mut PgConnection) -> Result<(), StoreError> {
    let is_there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)",
    )
    .bind(&*space.schema)
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    if is_there {
        return Ok(());
    }
    let make = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&space.schema));
    match sqlx::raw_sql(AssertSqlSafe(make)).execute(connection).await {
        // Another host has made it at the same moment.
        Err(error) if crate::postgres::meaning(&error) == crate::postgres::Meaning::NotUnique => {
            Ok(())
        }
        made => made.map(drop).map_err(failed),
    }
}

async fn is_current(space: &Space, migrator: &Migrator) -> Result<bool, StoreError> {
    let ask = AssertSqlSafe(format!("SELECT max(version) FROM {}", space.name(TABLE)));
    let applied: Result<Option<i64>, _> = sqlx::query_scalar(ask)
        .persistent(false)
        .fetch_one(space.pool())
        .await;
    match applied {
        Ok(version) => Ok(version == newest(migrator)),
        Err(error) if super::error::is_no_table(&error) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn known() -> Migrator {
    migrator(&[
        ("records", include_str!("migrations/0001_records.sql")),
        (
            "dead letters",
            include_str!("migrations/0002_dead_letters.sql"),
        ),
        ("runs", include_str!("migrations/0003_runs.sql")),
        ("waiting", include_str!("migrations/0004_waiting.sql")),
        (
            "scopes and fills",
            include_str!("migrations/0005_scopes_and_fills.sql"),
        ),
    ])
}

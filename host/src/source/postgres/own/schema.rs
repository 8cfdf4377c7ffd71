//! The tables and functions of the event log.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqlSafeStr};

use super::error::failed;
use super::options::Schema;
use crate::postgres::Database;
use crate::source::SourceError;

/// How long the server may take to let one in. A connection that is not from the
/// pool has no limit of its own.
const LOGIN: Duration = Duration::from_secs(10);

/// The oldest version of the server that is known to have what is used here.
const OLDEST_SERVER: i32 = 140_000;

/// The key of the lock under which schemas are prepared. Any number that nobody
/// else is likely to choose.
const PREPARING: i64 = 0x4c61_6e74_6572_6e31;

/// Makes the schema if there is none and brings its tables to the present form.
pub(super) async fn prepare(database: &Database, schema: &Schema) -> Result<(), SourceError> {
    let mut conn = connect(database).await?;
    check_server(&mut conn).await?;
    let (migrator, newest) = migrator(schema);
    match applied(&mut conn, schema).await? {
        Some(version) if version == newest => {}
        Some(version) if version > newest => {
            return Err(SourceError::Unfit(format!(
                "the event log in schema {} was made by a newer Lantern (its tables have version \
                 {version}, this one knows {newest}): use that one",
                schema.quoted()
            )));
        }
        _ => migrate(&mut conn, schema, migrator).await?,
    }
    conn.close().await.map_err(failed)
}

/// A connection that is nobody else's.
pub(super) async fn connect(database: &Database) -> Result<PgConnection, SourceError> {
    match tokio::time::timeout(LOGIN, database.connect_options().connect()).await {
        Ok(connected) => connected.map_err(failed),
        Err(_) => Err(SourceError::Unavailable(
            format!("{} does not answer", database.shown()).into(),
        )),
    }
}

async fn check_server(conn: &mut PgConnection) -> Result<(), SourceError> {
    let (version, encoding): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')",
    )
    .fetch_one(conn)
    .await
    .map_err(failed)?;
    if version < OLDEST_SERVER {
        return Err(SourceError::Unfit(format!(
            "the server is PostgreSQL {}; an event log needs {} or later",
            version / 10_000,
            OLDEST_SERVER / 10_000
        )));
    }
    if encoding != "UTF8" {
        return Err(SourceError::Unfit(format!(
            "the database has the encoding {encoding}; an event log needs one that was created \
             with ENCODING 'UTF8'"
        )));
    }
    Ok(())
}

/// The version of the tables. Asked first, without a lock and without the right
/// to create anything: a host needs neither once the tables are there.
async fn applied(conn: &mut PgConnection, schema: &Schema) -> Result<Option<i64>, SourceError> {
    let there = "SELECT to_regclass($1) IS NOT NULL";
    let is_there: bool = sqlx::query_scalar(there)
        .bind(migrations_table(schema))
        .fetch_one(&mut *conn)
        .await
        .map_err(failed)?;
    if !is_there {
        return Ok(None);
    }
    let version = format!("SELECT max(version) FROM {}", migrations_table(schema));
    sqlx::query_scalar(AssertSqlSafe(version))
        .fetch_one(conn)
        .await
        .map_err(failed)
}

/// One transaction around all: of several hosts that start on a new database,
/// one makes the tables and the others wait, then find them made.
async fn migrate(
    conn: &mut PgConnection,
    schema: &Schema,
    mut migrator: Migrator,
) -> Result<(), SourceError> {
    let mut transaction = conn.begin().await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(PREPARING)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    // Not left to `IF NOT EXISTS`, which asks for the right to create schemas even
    // when there is nothing to do.
    let is_there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(schema.quoted())
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    if !is_there {
        migrator.create_schema(schema.quoted().to_owned());
    }
    // `run` would do, but its future cannot be sent between threads when the
    // connection is borrowed; sqlx keeps this one for that case.
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| SourceError::Broken(error.into()))?;
    transaction.commit().await.map_err(failed)
}

fn migrations_table(schema: &Schema) -> String {
    schema.of("lantern_event_log_migrations")
}

/// The migrations, and the version that the last of them makes.
fn migrator(schema: &Schema) -> (Migrator, i64) {
    let event_log = include_str!("migrations/0001_event_log.sql");
    let event_log = event_log.replace("{schema}", schema.quoted());
    let migrations = vec![Migration::new(
        1,
        "event log".into(),
        MigrationType::Simple,
        AssertSqlSafe(event_log).into_sql_str(),
        false,
    )];
    let newest = migrations.iter().map(|m| m.version).max().unwrap_or(0);
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(migrations_table(schema));
    // Its own lock lasts as long as the connection; ours ends with the transaction.
    migrator.set_locking(false);
    (migrator, newest)
}

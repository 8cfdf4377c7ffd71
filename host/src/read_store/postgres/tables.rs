//! The physical tables: their indexes, their size, their end.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::change::{RecordChange, execute, limit};
use super::error::{failed, is_depended_upon, is_lock_not_had, is_no_table, rows_failed};
use super::space::Space;
use super::views::{Obstacle, drop_view, take_names};
use super::{ddl, holders, records};
use crate::model::{GenerationId, ProjectorName};
use crate::read_store::StoreError;
use crate::read_store::schema::{generation_of, physical_table};

/// How long to wait for those who still read a table that is to be dropped. It
/// is tried again by the next sweep.
const DROP_WAIT: Duration = Duration::from_millis(100);

/// See `ReadStore::build_indexes`. Each index is a transaction of its own. While
/// one is made, readers go on and commits to its table wait.
pub(super) async fn build_indexes(space: &Space, id: GenerationId) -> Result<(), StoreError> {
    let mut connection = space.pool().acquire().await.map_err(failed)?;
    let stored = records::generation(&mut connection, space, id).await?;
    drop(connection);
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    if generation.indexed {
        return Ok(());
    }
    let indexed = generation.scope.part().is_none();
    let tables = generation.description.tables.iter().enumerate();
    for (t, table) in tables.filter(|_| indexed) {
        for i in 0..table.indexes.len() {
            let sql = AssertSqlSafe(ddl::create_index(space, id, t, table, i));
            let made = sqlx::raw_sql(sql).execute(space.pool()).await;
            made.map_err(|error| match is_no_table(&error) {
                // It was given up meanwhile.
                true => StoreError::NoGeneration(id),
                false => rows_failed(error, id, t, table),
            })?;
        }
    }
    let mut change = RecordChange::begin(space).await?;
    let set = space.sql("UPDATE lantern.generations SET indexed = true WHERE id = $1");
    let changed = sqlx::query(set)
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::NoGeneration(id));
    }
    change.commit().await
}

/// See `ReadStore::drop_projector`.
pub(super) async fn drop_projector(space: &Space, name: &ProjectorName) -> Result<(), StoreError> {
    match forget_projector(space, name).await {
        Ok(()) => {
            drop_unrecorded_soon(space).await;
            Ok(())
        }
        Err(Obstacle::Store(error)) => Err(error),
        Err(Obstacle::Busy) => Err(holders::unavailable(space, name).await),
    }
}

async fn forget_projector(space: &Space, name: &ProjectorName) -> Result<(), Obstacle> {
    let mut change = RecordChange::begin_within(space, space.lock_wait).await?;
    let record = records::projector(&mut change, space, name).await?;
    let record = record.ok_or_else(|| StoreError::NoProjector(name.to_string()))?;
    if let Some(live) = record.live() {
        let tables = &live.description.tables;
        for view in take_names(&mut change, space, tables).await?.keys() {
            drop_view(&mut change, space, view).await?;
        }
    }
    for sql in [
        "DELETE FROM lantern.generations WHERE projector = $1",
        "DELETE FROM lantern.projectors WHERE name = $1",
    ] {
        sqlx::query(space.sql(sql))
            .bind(name.as_str())
            .execute(&mut *change)
            .await?;
    }
    change.commit().await?;
    Ok(())
}

/// Drops the physical tables whose generation is no longer recorded, each in a
/// transaction of its own. One that somebody still reads, or has built something
/// on, is left for the next time.
///
/// Tables are made in the transaction that records their generation, so none is
/// ever found without its record before its end.
pub(super) async fn drop_unrecorded(space: &Space) -> Result<(), StoreError> {
    let mut connection = space.pool().acquire().await.map_err(failed)?;
    // Tables first: those of a generation begun in between are then not seen.
    let present: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relkind = 'r'",
    )
    .bind(&*space.schema)
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    let recorded: Vec<i64> = sqlx::query_scalar(space.sql("SELECT id FROM lantern.generations"))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
    for table in present {
        if generation_of(&table).is_some_and(|id| !recorded.contains(&id.0)) {
            drop_table(space, &mut connection, &table).await?;
        }
    }
    Ok(())
}

async fn drop_table(
    space: &Space,
    connection: &mut PgConnection,
    table: &str,
) -> Result<(), StoreError> {
    // Several statements in one message are one transaction.
    let sql = format!(
        "{}; DROP TABLE IF EXISTS {}",
        limit(DROP_WAIT),
        space.name(table)
    );
    match execute(connection, sql).await {
        Err(error) if is_lock_not_had(&error) || is_depended_upon(&error) => Ok(()),
        dropped => dropped.map_err(failed),
    }
}

/// Drops what a change of records, now committed, has left over. That change
/// has succeeded whatever happens here; a table that cannot be dropped now goes
/// with the next change or start.
pub(super) async fn drop_unrecorded_soon(space: &Space) {
    let _left_for_later = drop_unrecorded(space).await;
}

/// See `ReadStore::size_of`.
pub(super) async fn size_of(space: &Space, id: GenerationId) -> Result<Option<u64>, StoreError> {
    let mut connection = space.pool().acquire().await.map_err(failed)?;
    let stored = records::generation(&mut connection, space, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    let tables = generation.description.stored_tables();
    let tables: Vec<String> = tables
        .iter()
        .map(|table| physical_table(id, &table.name))
        .collect();
    let size: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = ANY ($2)",
    )
    .bind(&*space.schema)
    .bind(tables)
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    Ok(Some(size as u64))
}

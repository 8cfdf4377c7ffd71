//! The physical tables: their indexes, their size, their end.

use sqlx::SqlitePool;

use super::change::RecordChange;
use super::error::{failed, is_no_table, is_not_unique};
use super::generations::execute;
use super::{ddl, records};
use crate::model::{GenerationId, ProjectorName};
use crate::read_store::StoreError;
use crate::read_store::schema::{generation_of, physical_table, quoted, shown_columns};

/// See `ReadStore::build_indexes`. Each index is a transaction of its own, so
/// that other projectors can commit in between.
pub(super) async fn build_indexes(pool: &SqlitePool, id: GenerationId) -> Result<(), StoreError> {
    let stored = records::generation(&mut *pool.acquire().await.map_err(failed)?, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    if generation.indexed {
        return Ok(());
    }
    // Nothing here holds one connection while it waits for another: with as many
    // generations at it as the pool has connections, none would ever go on.
    //
    // From here on writers reckon with unique indexes, of which some may exist.
    set_indexes(pool, id, "making").await?;
    let indexed = generation.scope.part().is_none();
    let tables = generation.description.tables.iter().enumerate();
    for (t, table) in tables.filter(|_| indexed) {
        for (i, index) in table.indexes.iter().enumerate() {
            let sql = sqlx::AssertSqlSafe(ddl::create_index(id, t, table, i));
            let made = sqlx::raw_sql(sql).execute(pool).await;
            made.map_err(|error| {
                if is_not_unique(&error) {
                    StoreError::NotUnique {
                        table: table.name.clone(),
                        columns: shown_columns(table, index),
                    }
                } else if is_no_table(&error) {
                    // It was given up meanwhile.
                    StoreError::NoGeneration(id)
                } else {
                    failed(error)
                }
            })?;
        }
    }
    set_indexes(pool, id, "made").await
}

/// See `ReadStore::drop_projector`.
pub(super) async fn drop_projector(
    pool: &SqlitePool,
    name: &ProjectorName,
) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let record = records::projector(&mut change, name).await?;
    let record = record.ok_or_else(|| StoreError::NoProjector(name.to_string()))?;
    if let Some(live) = record.live() {
        for table in &live.description.tables {
            execute(&mut change, ddl::drop_view(&table.name)).await?;
        }
    }
    for sql in [
        "DELETE FROM lantern_generations WHERE projector = ?",
        "DELETE FROM lantern_projectors WHERE name = ?",
    ] {
        sqlx::query(sql)
            .bind(name.as_str())
            .execute(&mut *change)
            .await
            .map_err(failed)?;
    }
    change.commit().await?;
    drop_unrecorded_soon(pool).await;
    Ok(())
}

/// Drops the physical tables whose generation is no longer recorded, each in a
/// transaction of its own, as dropping a large one takes time.
///
/// Tables are made in the transaction that records their generation, so none is
/// ever found without its record before its end.
pub(super) async fn drop_unrecorded(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await.map_err(failed)?;
    let present: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&mut *conn)
            .await
            .map_err(failed)?;
    let recorded: Vec<i64> = sqlx::query_scalar("SELECT id FROM lantern_generations")
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    for table in present {
        if generation_of(&table).is_some_and(|id| !recorded.contains(&id.0)) {
            execute(
                &mut conn,
                format!("DROP TABLE IF EXISTS {}", quoted(&table)),
            )
            .await?;
        }
    }
    Ok(())
}

/// Drops what a change of records, now committed, has left over. That change
/// has succeeded whatever happens here; a table that cannot be dropped now goes
/// with the next change or start.
pub(super) async fn drop_unrecorded_soon(pool: &SqlitePool) {
    let _left_for_later = drop_unrecorded(pool).await;
}

/// See `ReadStore::size_of`. SQLite counts the pages by walking them.
pub(super) async fn size_of(
    pool: &SqlitePool,
    id: GenerationId,
) -> Result<Option<u64>, StoreError> {
    let mut conn = pool.acquire().await.map_err(failed)?;
    let stored = records::generation(&mut conn, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    let mut total = 0;
    for table in &generation.description.tables {
        let size: Result<i64, _> = sqlx::query_scalar(
            "SELECT coalesce(sum(d.pgsize), 0) FROM sqlite_master m, dbstat d \
             WHERE m.tbl_name = ? AND m.type IN ('table', 'index') AND d.name = m.name AND d.aggregate = TRUE",
        )
        .bind(physical_table(id, &table.name))
        .fetch_one(&mut *conn)
        .await;
        match size {
            Ok(size) => total += size as u64,
            // A SQLite that was built without this table cannot say.
            Err(error) if is_no_table(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(Some(total))
}

async fn set_indexes(pool: &SqlitePool, id: GenerationId, indexes: &str) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let changed = sqlx::query("UPDATE lantern_generations SET indexes = ? WHERE id = ?")
        .bind(indexes)
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::NoGeneration(id));
    }
    change.commit().await
}

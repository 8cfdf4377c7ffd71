//! The physical tables: their indexes, their size, their end.

use sqlx::SqlitePool;

use super::change::RecordChange;
use super::error::{failed, is_no_table, is_not_unique};
use super::generations::execute;
use super::{ddl, records, text};
use crate::model::{GenerationId, IndexKind, ProjectorName, Table};
use crate::read_store::StoreError;
use crate::read_store::schema::{
    generation_of, generation_of_text, physical_table, physical_text, quoted, shown_columns,
};

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
            let made = match index.kind {
                IndexKind::Text => make_text_index(pool, id, t, table).await,
                IndexKind::Ordered | IndexKind::Unique => {
                    let sql = sqlx::AssertSqlSafe(ddl::create_index(id, t, table, i));
                    sqlx::raw_sql(sql).execute(pool).await.map(drop)
                }
            };
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

/// Rows, words and triggers of the same moment: one transaction, which holds the
/// write lock from its beginning.
async fn make_text_index(
    pool: &SqlitePool,
    id: GenerationId,
    at: usize,
    table: &Table,
) -> Result<(), sqlx::Error> {
    let Some(sql) = text::fill_and_follow(id, at, table) else {
        return Ok(());
    };
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let filling = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
    filling.execute(&mut *transaction).await?;
    transaction.commit().await
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
        for sql in live.description.tables.iter().flat_map(ddl::drop_views) {
            execute(&mut change, sql).await?;
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
        let of = generation_of(&table).or_else(|| generation_of_text(&table));
        if of.is_some_and(|id| !recorded.contains(&id.0)) {
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
    for table in physical_tables(id, &generation.description.stored_tables()) {
        let size: Result<i64, _> = sqlx::query_scalar(
            "SELECT coalesce(sum(d.pgsize), 0) FROM sqlite_master m, dbstat d \
             WHERE m.tbl_name = ? AND m.type IN ('table', 'index') AND d.name = m.name AND d.aggregate = TRUE",
        )
        .bind(table)
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

/// The tables of a generation, and those in which their text indexes are kept.
fn physical_tables(id: GenerationId, tables: &[Table]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        names.push(physical_table(id, &table.name));
        if table.text_index().is_some() {
            let index = physical_text(id, at);
            names.extend(text::BESIDE.map(|beside| format!("{index}{beside}")));
        }
    }
    names
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

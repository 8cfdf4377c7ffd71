//! Events that wait for an earlier version of their entity.

use rusqlite::Connection;
use sqlx::SqlitePool;

use super::change::RecordChange;
use super::error::{failed, row_failed};
use super::generations::count_request;
use crate::model::{GenerationId, WaitingChanges, WaitingEvent};
use crate::read_store::StoreError;
use crate::read_store::stored::{WaitingRow, read_waiting};

/// See `ReadStore::waiting`.
pub(super) async fn find(
    pool: &SqlitePool,
    generation: GenerationId,
) -> Result<Vec<WaitingEvent>, StoreError> {
    let stored: Vec<WaitingRow> = sqlx::query_as(
        "SELECT position, tenant, entity, version, stream, given_up, released FROM lantern_waiting \
         WHERE generation = ? ORDER BY position",
    )
    .bind(generation.0)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    Ok(stored.into_iter().map(read_waiting).collect())
}

/// See `ReadStore::release_waiting`.
pub(super) async fn release(
    pool: &SqlitePool,
    generation: GenerationId,
    tenant: Option<&str>,
    entity: &str,
) -> Result<u64, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let released = sqlx::query(
        "UPDATE lantern_waiting SET released = TRUE WHERE generation = ?1 AND entity = ?2 \
         AND (?3 IS NULL OR tenant = ?3) AND NOT given_up",
    )
    .bind(generation.0)
    .bind(entity)
    .bind(tenant)
    .execute(&mut *change)
    .await
    .map_err(failed)?
    .rows_affected();
    count_request(&mut change, generation).await?;
    change.commit().await?;
    Ok(released)
}

/// Writes changes, within a commit.
pub(super) fn write(
    connection: &Connection,
    generation: GenerationId,
    changes: &WaitingChanges,
) -> Result<(), StoreError> {
    let write = || {
        let mut remove = connection
            .prepare_cached("DELETE FROM lantern_waiting WHERE generation = ? AND position = ?")?;
        for position in &changes.removes {
            remove.execute((generation.0, position.0 as i64))?;
        }
        let mut put = connection.prepare_cached(
            "REPLACE INTO lantern_waiting \
             (generation, position, tenant, entity, version, stream, given_up, released) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for event in &changes.puts {
            let (position, version) = (event.position.0 as i64, event.version as i64);
            put.execute((
                generation.0,
                position,
                &event.tenant,
                &event.entity,
                version,
                &event.stream,
                event.given_up,
                event.released,
            ))?;
        }
        Ok(())
    };
    write().map_err(row_failed)
}

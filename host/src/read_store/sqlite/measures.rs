//! What a rebuild costs: how many rows there are, how fast they were made.

use sqlx::SqlitePool;

use super::error::failed;
use super::records;
use crate::model::{Fill, GenerationId, Part};
use crate::read_store::schema::{physical_table, quoted};
use crate::read_store::{StoreError, parts};

/// See `ReadStore::count_rows`.
pub(super) async fn count_rows(
    pool: &SqlitePool,
    id: GenerationId,
    part: Option<&Part>,
) -> Result<u64, StoreError> {
    let mut conn = pool.acquire().await.map_err(failed)?;
    let stored = records::generation(&mut conn, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    let mut total = 0;
    for table in &generation.description.tables {
        let physical = quoted(&physical_table(id, &table.name));
        let asked = parts::count(&physical, table, part, '?');
        let mut count = sqlx::query_scalar(sqlx::AssertSqlSafe(asked.sql)).persistent(false);
        for value in asked.values {
            count = count.bind(value);
        }
        let rows: i64 = count.fetch_one(&mut *conn).await.map_err(failed)?;
        total += rows as u64;
    }
    Ok(total)
}

/// See `ReadStore::note_fill`. A generation that has been dropped has none.
pub(super) async fn note(
    pool: &SqlitePool,
    generation: GenerationId,
    fill: Fill,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lantern_fills (generation, events, micros) \
         SELECT id, ?1, ?2 FROM lantern_generations WHERE id = ?3 \
         ON CONFLICT (generation) DO UPDATE SET events = events + excluded.events, \
             micros = micros + excluded.micros",
    )
    .bind(fill.events as i64)
    .bind(fill.micros as i64)
    .bind(generation.0)
    .execute(pool)
    .await
    .map(drop)
    .map_err(failed)
}

/// See `ReadStore::fill_of`.
pub(super) async fn of(pool: &SqlitePool, generation: GenerationId) -> Result<Fill, StoreError> {
    let stored: Option<(i64, i64)> =
        sqlx::query_as("SELECT events, micros FROM lantern_fills WHERE generation = ?")
            .bind(generation.0)
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
    let (events, micros) = stored.unwrap_or_default();
    Ok(Fill {
        events: events as u64,
        micros: micros as u64,
    })
}

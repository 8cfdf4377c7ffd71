//! What a rebuild costs: how many rows there are, how fast they were made.

use sqlx::AssertSqlSafe;

use super::error::failed;
use super::records;
use super::space::Space;
use crate::model::{Fill, GenerationId, Part};
use crate::read_store::{StoreError, parts};

/// See `ReadStore::count_rows`.
pub(super) async fn count_rows(
    space: &Space,
    id: GenerationId,
    part: Option<&Part>,
) -> Result<u64, StoreError> {
    let mut connection = space.pool().acquire().await.map_err(failed)?;
    let stored = records::generation(&mut connection, space, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    let mut total = 0;
    for table in &generation.description.tables {
        let asked = parts::count(&space.physical(id, &table.name), table, part, '$');
        let mut count = sqlx::query_scalar(AssertSqlSafe(asked.sql)).persistent(false);
        for value in asked.values {
            count = count.bind(value);
        }
        let rows: i64 = count.fetch_one(&mut *connection).await.map_err(failed)?;
        total += rows as u64;
    }
    Ok(total)
}

/// See `ReadStore::note_fill`. A generation that has been dropped has none.
pub(super) async fn note(
    space: &Space,
    generation: GenerationId,
    fill: Fill,
) -> Result<(), StoreError> {
    let note = space.sql(
        "INSERT INTO lantern.fills AS f (generation, events, micros) \
         SELECT id, $1, $2 FROM lantern.generations WHERE id = $3 FOR KEY SHARE \
         ON CONFLICT (generation) DO UPDATE SET events = f.events + excluded.events, \
             micros = f.micros + excluded.micros",
    );
    sqlx::query(note)
        .bind(fill.events as i64)
        .bind(fill.micros as i64)
        .bind(generation.0)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::fill_of`.
pub(super) async fn of(space: &Space, generation: GenerationId) -> Result<Fill, StoreError> {
    let ask = space.sql("SELECT events, micros FROM lantern.fills WHERE generation = $1");
    let stored: Option<(i64, i64)> = sqlx::query_as(ask)
        .bind(generation.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)?;
    let (events, micros) = stored.unwrap_or_default();
    Ok(Fill {
        events: events as u64,
        micros: micros as u64,
    })
}

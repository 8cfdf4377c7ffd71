//! When rounds by a schedule began.

use sqlx::SqlitePool;

use super::error::failed;
use crate::model::{GenerationId, Timestamp};
use crate::read_store::StoreError;

/// See `ReadStore::note_run`. A generation that has been dropped has no runs.
pub(super) async fn note(
    pool: &SqlitePool,
    generation: GenerationId,
    began_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lantern_runs (generation, began_at) \
         SELECT id, ? FROM lantern_generations WHERE id = ? \
         ON CONFLICT (generation) DO UPDATE SET began_at = excluded.began_at",
    )
    .bind(began_at.0)
    .bind(generation.0)
    .execute(pool)
    .await
    .map(drop)
    .map_err(failed)
}

/// See `ReadStore::last_run`.
pub(super) async fn last(
    pool: &SqlitePool,
    generation: GenerationId,
) -> Result<Option<Timestamp>, StoreError> {
    let stored: Option<i64> =
        sqlx::query_scalar("SELECT began_at FROM lantern_runs WHERE generation = ?")
            .bind(generation.0)
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
    Ok(stored.map(Timestamp))
}

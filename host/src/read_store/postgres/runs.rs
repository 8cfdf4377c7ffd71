//! When rounds by a schedule began.

use super::error::failed;
use super::space::Space;
use crate::model::{GenerationId, Timestamp};
use crate::read_store::StoreError;

/// See `ReadStore::note_run`. A generation that has been dropped has no runs.
pub(super) async fn note(
    space: &Space,
    generation: GenerationId,
    began_at: Timestamp,
) -> Result<(), StoreError> {
    let note = space.sql(
        "INSERT INTO lantern.runs (generation, began_at) \
         SELECT id, $1 FROM lantern.generations WHERE id = $2 FOR KEY SHARE \
         ON CONFLICT (generation) DO UPDATE SET began_at = excluded.began_at",
    );
    sqlx::query(note)
        .bind(began_at.0)
        .bind(generation.0)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::last_run`.
pub(super) async fn last(
    space: &Space,
    generation: GenerationId,
) -> Result<Option<Timestamp>, StoreError> {
    let ask = space.sql("SELECT began_at FROM lantern.runs WHERE generation = $1");
    let stored: Option<i64> = sqlx::query_scalar(ask)
        .bind(generation.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)?;
    Ok(stored.map(Timestamp))
}

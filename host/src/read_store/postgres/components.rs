//! Components, kept for hosts that have no copy of the file.

use super::error::failed;
use super::space::Space;
use crate::model::Digest;
use crate::read_store::StoreError;

/// See `ReadStore::keep_component`. One that is there is kept longer.
pub(super) async fn keep(space: &Space, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
    let longer =
        space.sql("UPDATE lantern.components SET kept_at = clock_timestamp() WHERE digest = $1");
    let is_there = sqlx::query(longer)
        .bind(&digest.0)
        .execute(space.pool())
        .await
        .map_err(failed)?;
    if is_there.rows_affected() > 0 {
        return Ok(());
    }
    let keep = space.sql(
        "INSERT INTO lantern.components (digest, kept_at, bytes) \
         VALUES ($1, clock_timestamp(), $2) \
         ON CONFLICT (digest) DO UPDATE SET kept_at = excluded.kept_at",
    );
    sqlx::query(keep)
        .bind(&digest.0)
        .bind(bytes)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::component`.
pub(super) async fn find(space: &Space, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar(space.sql("SELECT bytes FROM lantern.components WHERE digest = $1"))
        .bind(&digest.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)
}

/// Drops the components that no generation has. A component is kept before its
/// generation is begun, perhaps by another host and at this moment; so only
/// those go that have been idle for a while.
pub(super) async fn sweep(space: &Space) -> Result<(), StoreError> {
    let drop_idle = space.sql(
        "DELETE FROM lantern.components c WHERE c.kept_at < clock_timestamp() - interval '1 hour' \
         AND NOT EXISTS (SELECT 1 FROM lantern.generations g WHERE g.digest = c.digest)",
    );
    sqlx::query(drop_idle)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

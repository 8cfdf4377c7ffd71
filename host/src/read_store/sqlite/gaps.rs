//! The gaps that a source has passed.

use sqlx::SqlitePool;

use super::error::failed;
use crate::model::{PassedGap, Position, Timestamp};
use crate::read_store::StoreError;

/// See `ReadStore::note_gap`. The first telling of a gap stays.
pub(super) async fn note(pool: &SqlitePool, gap: &PassedGap) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lantern_gaps (first_position, last_position, seen_at, passed_at, proof) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(gap.from.0 as i64)
    .bind(gap.to.0 as i64)
    .bind(gap.seen_at.0)
    .bind(gap.passed_at.0)
    .bind(&gap.proof)
    .execute(pool)
    .await
    .map(drop)
    .map_err(failed)
}

/// See `ReadStore::gaps`.
pub(super) async fn latest(
    pool: &SqlitePool,
    limit: usize,
) -> Result<(u64, Vec<PassedGap>), StoreError> {
    let mut transaction = pool.begin().await.map_err(failed)?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM lantern_gaps")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let stored: Vec<(i64, i64, i64, i64, String)> = sqlx::query_as(
        "SELECT first_position, last_position, seen_at, passed_at, proof FROM lantern_gaps \
         ORDER BY passed_at DESC, first_position DESC LIMIT ?",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let gaps = stored
        .into_iter()
        .map(|(from, to, seen_at, passed_at, proof)| PassedGap {
            from: Position(from as u64),
            to: Position(to as u64),
            seen_at: Timestamp(seen_at),
            passed_at: Timestamp(passed_at),
            proof,
        });
    Ok((count as u64, gaps.collect()))
}

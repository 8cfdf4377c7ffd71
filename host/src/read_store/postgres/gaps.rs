//! The gaps that a source has passed.

use super::error::failed;
use super::space::Space;
use crate::model::{PassedGap, Position, Timestamp};
use crate::read_store::StoreError;

/// See `ReadStore::note_gap`. The first telling of a gap stays.
pub(super) async fn note(space: &Space, gap: &PassedGap) -> Result<(), StoreError> {
    let note = space.sql(
        "INSERT INTO lantern.gaps (first_position, last_position, seen_at, passed_at, proof) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    );
    sqlx::query(note)
        .bind(gap.from.0 as i64)
        .bind(gap.to.0 as i64)
        .bind(gap.seen_at.0)
        .bind(gap.passed_at.0)
        .bind(&gap.proof)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::gaps`.
pub(super) async fn latest(
    space: &Space,
    limit: usize,
) -> Result<(u64, Vec<PassedGap>), StoreError> {
    // The count stands in a row of its own, so that it is there without gaps; one
    // statement, so that it agrees with them.
    let ask = space.sql(
        "SELECT n.count, l.first_position, l.last_position, l.seen_at, l.passed_at, l.proof \
         FROM (SELECT count(*) FROM lantern.gaps) n LEFT JOIN \
             (SELECT * FROM lantern.gaps ORDER BY passed_at DESC, first_position DESC LIMIT $1) l \
             ON true \
         ORDER BY l.passed_at DESC, l.first_position DESC",
    );
    type Stored = (
        i64,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<String>,
    );
    let stored: Vec<Stored> = sqlx::query_as(ask)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    let count = stored.first().map_or(0, |row| row.0 as u64);
    let gap = |(_, from, to, seen_at, passed_at, proof): Stored| {
        Some(PassedGap {
            from: Position(from? as u64),
            to: Position(to? as u64),
            seen_at: Timestamp(seen_at?),
            passed_at: Timestamp(passed_at?),
            proof: proof?,
        })
    };
    Ok((count, stored.into_iter().filter_map(gap).collect()))
}

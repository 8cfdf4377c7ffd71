//! Events that wait for an earlier version of their entity.

use sqlx::postgres::PgConnection;

use super::change::RecordChange;
use super::error::failed;
use super::generations::count_request;
use super::space::Space;
use crate::model::{GenerationId, WaitingChanges, WaitingEvent};
use crate::read_store::StoreError;
use crate::read_store::stored::{WaitingRow, read_waiting};

/// See `ReadStore::waiting`.
pub(super) async fn find(
    space: &Space,
    generation: GenerationId,
) -> Result<Vec<WaitingEvent>, StoreError> {
    let ask = space.sql(
        "SELECT position, tenant, entity, version, stream, given_up, released FROM lantern.waiting \
         WHERE generation = $1 ORDER BY position",
    );
    let stored: Vec<WaitingRow> = sqlx::query_as(ask)
        .bind(generation.0)
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    Ok(stored.into_iter().map(read_waiting).collect())
}

/// See `ReadStore::release_waiting`.
pub(super) async fn release(
    space: &Space,
    generation: GenerationId,
    tenant: Option<&str>,
    entity: &str,
) -> Result<u64, StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let set = space.sql(
        "UPDATE lantern.waiting SET released = true WHERE generation = $1 AND entity = $2 \
         AND ($3::text IS NULL OR tenant = $3) AND NOT given_up",
    );
    let released = sqlx::query(set)
        .bind(generation.0)
        .bind(entity)
        .bind(tenant)
        .execute(&mut *change)
        .await
        .map_err(failed)?
        .rows_affected();
    count_request(&mut change, space, generation).await?;
    change.commit().await?;
    Ok(released)
}

/// Writes changes, within a commit.
pub(super) async fn write(
    connection: &mut PgConnection,
    space: &Space,
    generation: GenerationId,
    changes: &WaitingChanges,
) -> Result<(), StoreError> {
    if !changes.removes.is_empty() {
        let positions: Vec<i64> = changes.removes.iter().map(|at| at.0 as i64).collect();
        let remove =
            space.sql("DELETE FROM lantern.waiting WHERE generation = $1 AND position = ANY ($2)");
        sqlx::query(remove)
            .bind(generation.0)
            .bind(positions)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    let puts = &changes.puts;
    if puts.is_empty() {
        return Ok(());
    }
    let put = space.sql(
        "INSERT INTO lantern.waiting \
         (generation, position, tenant, entity, version, stream, given_up, released) \
         SELECT $1, w.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], \
         $6::text[], $7::boolean[], $8::boolean[]) AS w \
         ON CONFLICT (generation, position) DO UPDATE SET version = excluded.version, \
         given_up = excluded.given_up, released = excluded.released",
    );
    let column = |of: fn(&WaitingEvent) -> &str| puts.iter().map(of).collect::<Vec<_>>();
    sqlx::query(put)
        .bind(generation.0)
        .bind(
            puts.iter()
                .map(|it| it.position.0 as i64)
                .collect::<Vec<_>>(),
        )
        .bind(column(|it| &it.tenant))
        .bind(column(|it| &it.entity))
        .bind(puts.iter().map(|it| it.version as i64).collect::<Vec<_>>())
        .bind(column(|it| &it.stream))
        .bind(puts.iter().map(|it| it.given_up).collect::<Vec<_>>())
        .bind(puts.iter().map(|it| it.released).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

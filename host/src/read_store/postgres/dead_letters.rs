//! Events that were set aside.

use sqlx::postgres::PgConnection;

use super::change::RecordChange;
use super::error::failed;
use super::generations::count_request;
use super::space::Space;
use crate::model::{
    DeadLetter, DeadLetterChanges, DeadLetterChoice, DeadLetterRequest, GenerationId, Position,
};
use crate::read_store::StoreError;
use crate::read_store::dead_letters::{Chosen, read};
use crate::read_store::stored::write_json;

/// Which dead letters of a generation are meant: by position, tenant and stream, each
/// unless it is null.
macro_rules! chosen {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WHERE generation = $1 AND ($2::bigint IS NULL OR position = $2) \
             AND ($3::text IS NULL OR tenant = $3) AND ($4::text IS NULL OR stream = $4) ",
            $after
        )
    };
}

/// See `ReadStore::dead_letters`.
pub(super) async fn find(
    space: &Space,
    generation: GenerationId,
    choice: &DeadLetterChoice,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let ask = space.sql(chosen!(
        "SELECT letter, asked FROM lantern.dead_letters",
        "ORDER BY position LIMIT $5"
    ));
    let chosen = Chosen::of(choice);
    let stored: Vec<(String, Option<String>)> = sqlx::query_as(ask)
        .bind(generation.0)
        .bind(chosen.position)
        .bind(chosen.tenant)
        .bind(chosen.stream)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    stored.into_iter().map(read).collect()
}

/// See `ReadStore::ask_dead_letters`.
pub(super) async fn ask(
    space: &Space,
    generation: GenerationId,
    choice: &DeadLetterChoice,
    request: DeadLetterRequest,
) -> Result<u64, StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let chosen = Chosen::of(choice);
    let set = space.sql(chosen!("UPDATE lantern.dead_letters SET asked = $5", ""));
    let asked = sqlx::query(set)
        .bind(generation.0)
        .bind(chosen.position)
        .bind(chosen.tenant)
        .bind(chosen.stream)
        .bind(request.as_str())
        .execute(&mut *change)
        .await
        .map_err(failed)?
        .rows_affected();
    count_request(&mut change, space, generation).await?;
    change.commit().await?;
    Ok(asked)
}

/// Writes changes, within a commit.
pub(super) async fn write(
    connection: &mut PgConnection,
    space: &Space,
    generation: GenerationId,
    changes: &DeadLetterChanges,
) -> Result<(), StoreError> {
    if !changes.removes.is_empty() {
        let remove = space
            .sql("DELETE FROM lantern.dead_letters WHERE generation = $1 AND position = ANY ($2)");
        sqlx::query(remove)
            .bind(generation.0)
            .bind(numbers(&changes.removes))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    if !changes.puts.is_empty() {
        put(connection, space, generation, &changes.puts).await?;
    }
    if changes.asks.is_empty() {
        return Ok(());
    }
    let ask = space.sql(
        "UPDATE lantern.dead_letters SET asked = $1 \
         WHERE generation = $2 AND position = ANY ($3) AND asked IS NULL",
    );
    sqlx::query(ask)
        .bind(DeadLetterRequest::Retry.as_str())
        .bind(generation.0)
        .bind(numbers(&changes.asks))
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

fn numbers(positions: &[Position]) -> Vec<i64> {
    positions.iter().map(|at| at.0 as i64).collect()
}

async fn put(
    connection: &mut PgConnection,
    space: &Space,
    generation: GenerationId,
    puts: &[DeadLetter],
) -> Result<(), StoreError> {
    let texts: Vec<String> = puts.iter().map(write_json).collect::<Result<_, _>>()?;
    let put = space.sql(
        "INSERT INTO lantern.dead_letters AS d \
         (generation, position, tenant, stream, letter, asked) \
         SELECT $1, l.* \
         FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]) AS l \
         ON CONFLICT (generation, position) DO UPDATE SET letter = excluded.letter, \
         asked = CASE WHEN d.asked IS DISTINCT FROM excluded.asked THEN d.asked END",
    );
    sqlx::query(put)
        .bind(generation.0)
        .bind(
            puts.iter()
                .map(|it| it.position.0 as i64)
                .collect::<Vec<_>>(),
        )
        .bind(puts.iter().map(|it| it.tenant.as_str()).collect::<Vec<_>>())
        .bind(puts.iter().map(|it| it.stream.as_str()).collect::<Vec<_>>())
        .bind(texts)
        .bind(
            puts.iter()
                .map(|it| it.asked.map(DeadLetterRequest::as_str))
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

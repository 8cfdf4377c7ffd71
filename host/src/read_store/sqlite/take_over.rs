//! Puts the rows of a part in the place of those that are live.
//!
//! One transaction: readers see the part's former rows until it commits and the
//! new ones from then on. Nobody else's rows are touched, and the checkpoint
//! stays, as the part stands where the live generation does.

use sqlx::{SqliteConnection, SqlitePool};

use super::change::RecordChange;
use super::error::{failed, is_not_unique};
use super::{records, tables};
use crate::model::{Epoch, Generation, GenerationId, GenerationState, Part, Table};
use crate::read_store::checkpoint::{Standing, refusal};
use crate::read_store::parts::{Asked, copy, remove};
use crate::read_store::schema::{physical_table, quoted, shown_unique_columns};
use crate::read_store::{Claim, StoreError, TakeOver};

/// See `ReadStore::take_over`.
pub(super) async fn take_over(
    pool: &SqlitePool,
    claim: &Claim,
    id: GenerationId,
) -> Result<TakeOver, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let Some((_, from)) = records::generation(&mut change, id).await? else {
        return Ok(TakeOver::Gone);
    };
    let Some(part) = from.scope.part() else {
        return Ok(TakeOver::Gone);
    };
    if from.state != GenerationState::Building {
        return Ok(TakeOver::Gone);
    }
    let live = claim.generation;
    let standing = standing(&mut change, live).await?;
    if let Some(reason) = refusal(live, claim.epoch, &from.checkpoint, standing.as_ref()) {
        return Ok(TakeOver::Fenced(reason));
    }
    for table in &from.description.tables {
        replace(&mut change, (id, live), table, part).await?;
    }
    replace_letters(&mut change, &from, live, part).await?;
    sqlx::query("DELETE FROM lantern_generations WHERE id = ?")
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    // The epoch, because whoever still works on it has former rows in memory.
    sqlx::query("UPDATE lantern_generations SET epoch = epoch + 1, took_over = ? WHERE id = ?")
        .bind(id.0)
        .bind(live.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    change.commit().await?;
    tables::drop_unrecorded_soon(pool).await;
    Ok(TakeOver::Done)
}

async fn standing(
    conn: &mut SqliteConnection,
    live: GenerationId,
) -> Result<Option<Standing>, StoreError> {
    let epoch: Option<i64> =
        sqlx::query_scalar("SELECT epoch FROM lantern_generations WHERE id = ?")
            .bind(live.0)
            .fetch_optional(&mut *conn)
            .await
            .map_err(failed)?;
    let generation = records::generation(conn, live).await?;
    Ok(epoch
        .zip(generation)
        .map(|(epoch, (_, generation))| Standing {
            state: generation.state,
            epoch: Epoch(epoch),
            checkpoint: generation.checkpoint,
        }))
}

async fn replace(
    conn: &mut SqliteConnection,
    (from, to): (GenerationId, GenerationId),
    table: &Table,
    part: &Part,
) -> Result<(), StoreError> {
    let from = quoted(&physical_table(from, &table.name));
    let to = quoted(&physical_table(to, &table.name));
    run(conn, remove(&to, table, part, '?'), table).await?;
    run(conn, copy((&from, &to), table, part, '?'), table).await
}

async fn run(
    conn: &mut SqliteConnection,
    asked: Asked<'_>,
    table: &Table,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(sqlx::AssertSqlSafe(asked.sql)).persistent(false);
    for value in asked.values {
        query = query.bind(value);
    }
    let done = query.execute(conn).await;
    done.map(drop).map_err(|error| match is_not_unique(&error) {
        true => StoreError::NotUnique {
            table: table.name.clone(),
            columns: shown_unique_columns(table),
        },
        false => failed(error),
    })
}

/// The part's dead letters take the place of those that are there.
async fn replace_letters(
    conn: &mut SqliteConnection,
    from: &Generation,
    live: GenerationId,
    part: &Part,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM lantern_dead_letters WHERE generation = ?1 \
         AND (?2 IS NULL OR tenant = ?2) AND (?3 IS NULL OR stream = ?3)",
    )
    .bind(live.0)
    .bind(&part.tenant)
    .bind(&part.stream)
    .execute(&mut *conn)
    .await
    .map_err(failed)?;
    sqlx::query("UPDATE lantern_dead_letters SET generation = ? WHERE generation = ?")
        .bind(live.0)
        .bind(from.id.0)
        .execute(conn)
        .await
        .map(drop)
        .map_err(failed)
}

//! Puts the rows of a part in the place of those that are live.
//!
//! One transaction: readers see the part's former rows until it commits and the
//! new ones from then on, and wait for nothing. Nobody else's rows are touched,
//! and the checkpoint stays, as the part stands where the live generation does.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::change::{RecordChange, execute};
use super::error::{failed, rows_failed};
use super::fill::is_keyed;
use super::generations::end_epoch;
use super::space::Space;
use super::{ddl, records, tables};
use crate::model::{Epoch, Generation, GenerationId, GenerationState, Part, Table};
use crate::read_store::checkpoint::{Standing, refusal};
use crate::read_store::parts::{Asked, copy, remove};
use crate::read_store::{Claim, StoreError, TakeOver};

/// See `ReadStore::take_over`.
pub(super) async fn take_over(
    space: &Space,
    claim: &Claim,
    id: GenerationId,
) -> Result<TakeOver, StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let live = claim.generation;
    hold(&mut change, space, [live, id]).await?;
    let Some((_, from)) = records::generation(&mut change, space, id).await? else {
        return Ok(TakeOver::Gone);
    };
    let Some(part) = from.scope.part() else {
        return Ok(TakeOver::Gone);
    };
    if from.state != GenerationState::Building {
        return Ok(TakeOver::Gone);
    }
    let standing = standing(&mut change, space, live).await?;
    if let Some(reason) = refusal(live, claim.epoch, &from.checkpoint, standing.as_ref()) {
        return Ok(TakeOver::Fenced(reason));
    }
    for (at, table) in from.description.tables.iter().enumerate() {
        let replaced = replace(&mut change, space, (id, live), table, part).await;
        replaced.map_err(|error| rows_failed(error, live, at, table))?;
    }
    make_keys(&mut change, space, live, &from.description.tables).await?;
    replace_letters(&mut change, space, &from, live, part).await?;
    sqlx::query(space.sql("DELETE FROM lantern.generations WHERE id = $1"))
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    sqlx::query(space.sql("UPDATE lantern.generations SET took_over = $1 WHERE id = $2"))
        .bind(id.0)
        .bind(live.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    // Whoever still works on it has former rows in memory.
    end_epoch(&mut change, space, live).await?;
    change.commit().await?;
    tables::drop_unrecorded_soon(space).await;
    Ok(TakeOver::Done)
}

/// Holds the records of two generations, and with them their commits, in the
/// order in which claims take them.
async fn hold(
    connection: &mut PgConnection,
    space: &Space,
    ids: [GenerationId; 2],
) -> Result<(), StoreError> {
    let ids = ids.map(|id| id.0);
    for sql in [
        "SELECT 1 FROM lantern.generations WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        "SELECT 1 FROM lantern.progress WHERE generation = ANY ($1) \
         ORDER BY generation FOR UPDATE",
    ] {
        sqlx::query(space.sql(sql))
            .bind(ids)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn standing(
    connection: &mut PgConnection,
    space: &Space,
    live: GenerationId,
) -> Result<Option<Standing>, StoreError> {
    let ask = space.sql("SELECT epoch FROM lantern.progress WHERE generation = $1");
    let epoch: Option<i64> = sqlx::query_scalar(ask)
        .bind(live.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let generation = records::generation(connection, space, live).await?;
    Ok(epoch
        .zip(generation)
        .map(|(epoch, (_, generation))| Standing {
            state: generation.state,
            epoch: Epoch(epoch),
            checkpoint: generation.checkpoint,
        }))
}

async fn replace(
    connection: &mut PgConnection,
    space: &Space,
    (from, to): (GenerationId, GenerationId),
    table: &Table,
    part: &Part,
) -> Result<(), sqlx::Error> {
    let from = space.physical(from, &table.name);
    let to = space.physical(to, &table.name);
    run(connection, remove(&to, table, part, '$')).await?;
    run(connection, copy((&from, &to), table, part, '$')).await
}

async fn run(connection: &mut PgConnection, asked: Asked<'_>) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(asked.sql)).persistent(false);
    for value in asked.values {
        query = query.bind(value);
    }
    query.execute(connection).await.map(drop)
}

/// Makes the keys of tables that had no row before, as the first commit would
/// have done.
async fn make_keys(
    connection: &mut PgConnection,
    space: &Space,
    live: GenerationId,
    tables: &[Table],
) -> Result<(), StoreError> {
    if is_keyed(connection, space, live).await? {
        return Ok(());
    }
    for (at, table) in tables.iter().enumerate() {
        let made = execute(connection, ddl::create_key(space, live, at, table)).await;
        made.map_err(|error| rows_failed(error, live, at, table))?;
    }
    sqlx::query(space.sql("UPDATE lantern.progress SET keyed = true WHERE generation = $1"))
        .bind(live.0)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

/// The part's dead letters take the place of those that are there.
async fn replace_letters(
    connection: &mut PgConnection,
    space: &Space,
    from: &Generation,
    live: GenerationId,
    part: &Part,
) -> Result<(), StoreError> {
    let remove = space.sql(
        "DELETE FROM lantern.dead_letters WHERE generation = $1 \
         AND ($2::text IS NULL OR tenant = $2) AND ($3::text IS NULL OR stream = $3)",
    );
    sqlx::query(remove)
        .bind(live.0)
        .bind(&part.tenant)
        .bind(&part.stream)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    let give = space.sql("UPDATE lantern.dead_letters SET generation = $1 WHERE generation = $2");
    sqlx::query(give)
        .bind(live.0)
        .bind(from.id.0)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

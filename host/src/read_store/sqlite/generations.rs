//! Begins generations, gives them up, and hands out the right to work on them.

use sqlx::{SqliteConnection, SqlitePool};

use super::change::{RecordChange, begin_immediate};
use super::error::failed;
use super::ownership::check_names;
use super::{ddl, records, tables};
use crate::model::{
    Checkpoint, Description, Digest, Epoch, GenerationId, GenerationState, ProjectorName,
    ProjectorRecord, Scope, Table, Timestamp, WantedState,
};
use crate::read_store::schema::{physical_table, quoted};
use crate::read_store::stored::{write_json, write_scope};
use crate::read_store::{Claim, Claimed, Owner, StoreError};

/// See `ReadStore::begin_generation`.
pub(super) async fn begin(
    pool: &SqlitePool,
    description: &Description,
    digest: &Digest,
    newest: Option<GenerationId>,
    scope: &Scope,
) -> Result<GenerationId, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let projector = &description.name;
    let record = records::projector(&mut change, projector).await?;
    let found = record.as_ref().and_then(ProjectorRecord::newest);
    if found.map(|generation| generation.id) != newest {
        return Err(StoreError::Overtaken(projector.to_string()));
    }
    check_names(&mut change, projector, &description.tables).await?;
    sqlx::query(
        "INSERT INTO lantern_projectors (name, wanted) VALUES (?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(projector.as_str())
    .bind(WantedState::Running.as_str())
    .execute(&mut *change)
    .await
    .map_err(failed)?;
    forget(&mut change, projector, GenerationState::Building).await?;
    let state = match record.as_ref().and_then(ProjectorRecord::live) {
        Some(_) => GenerationState::Building,
        None => GenerationState::Live,
    };
    let id = insert(&mut change, description, digest, state, scope).await?;
    for (at, table) in description.tables.iter().enumerate() {
        for sql in ddl::create_all(id, at, table) {
            execute(&mut change, sql).await?;
        }
        if state == GenerationState::Live {
            for sql in ddl::create_views(id, at, table) {
                execute(&mut change, sql).await?;
            }
        }
    }
    for table in description.host_tables() {
        execute(&mut change, ddl::create_table(id, &table)).await?;
    }
    change.commit().await?;
    tables::drop_unrecorded_soon(pool).await;
    Ok(id)
}

/// See `ReadStore::adopt`.
pub(super) async fn adopt(
    pool: &SqlitePool,
    id: GenerationId,
    description: &Description,
    digest: &Digest,
) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let stored = records::generation(&mut change, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    if generation.description.stored_tables() != description.stored_tables() {
        let message =
            format!("the tables of generation {id} are not those of the component it was given");
        return Err(StoreError::Broken(message.into()));
    }
    sqlx::query(
        "UPDATE lantern_generations SET digest = ?, description = ?, failure = NULL, epoch = epoch + 1 \
         WHERE id = ?",
    )
    .bind(&digest.0)
    .bind(write_json(description)?)
    .bind(id.0)
    .execute(&mut *change)
    .await
    .map_err(failed)?;
    sqlx::query(
        "UPDATE lantern_dead_letters SET asked = coalesce(asked, 'retry') WHERE generation = ?",
    )
    .bind(id.0)
    .execute(&mut *change)
    .await
    .map_err(failed)?;
    change.commit().await
}

/// See `ReadStore::abandon`. One that is no longer building is left alone.
pub(super) async fn abandon(pool: &SqlitePool, id: GenerationId) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    sqlx::query("DELETE FROM lantern_generations WHERE id = ? AND state = 'building'")
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    change.commit().await?;
    tables::drop_unrecorded_soon(pool).await;
    Ok(())
}

/// See `ReadStore::claim`. Nobody else can hold a lease: the host that uses this
/// file has locked its data directory. The revision does not move, as records do
/// not show who works on a generation.
pub(super) async fn claim(
    pool: &SqlitePool,
    id: GenerationId,
    owner: &Owner,
) -> Result<Claimed, StoreError> {
    let mut transaction = begin_immediate(pool).await?;
    let epoch: Option<i64> = sqlx::query_scalar(
        "UPDATE lantern_generations SET epoch = epoch + 1, owner = ? WHERE id = ? RETURNING epoch",
    )
    .bind(&owner.instance)
    .bind(id.0)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(failed)?;
    let epoch = epoch.map(Epoch).ok_or(StoreError::NoGeneration(id))?;
    let stored = records::generation(&mut transaction, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    let checkpoint = generation.checkpoint;
    let is_empty = checkpoint == Checkpoint::start()
        && !has_rows(&mut transaction, id, &generation.description).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(Claimed::Taken(Claim {
        generation: id,
        epoch,
        checkpoint,
        is_empty,
    }))
}

/// Removes the records of a projector's generations in one state. Their tables
/// stay, for [`tables::drop_unrecorded`] to drop after the transaction.
pub(super) async fn forget(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
    state: GenerationState,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM lantern_generations WHERE projector = ? AND state = ?")
        .bind(projector.as_str())
        .bind(state.as_str())
        .execute(conn)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Counts that something was asked of a generation; by that its worker sees it.
pub(super) async fn count_request(
    conn: &mut SqliteConnection,
    id: GenerationId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE lantern_generations SET asked = asked + 1 WHERE id = ?")
        .bind(id.0)
        .execute(conn)
        .await
        .map(drop)
        .map_err(failed)
}

/// Runs a statement made for this one occasion.
pub(super) async fn execute(conn: &mut SqliteConnection, sql: String) -> Result<(), StoreError> {
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
    statement.execute(conn).await.map(drop).map_err(failed)
}

async fn insert(
    conn: &mut SqliteConnection,
    description: &Description,
    digest: &Digest,
    state: GenerationState,
    scope: &Scope,
) -> Result<GenerationId, StoreError> {
    let now = Timestamp::now().0;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO lantern_generations (projector, state, digest, description, created_at, live_at, \
         scope) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(description.name.as_str())
    .bind(state.as_str())
    .bind(&digest.0)
    .bind(write_json(description)?)
    .bind(now)
    .bind((state == GenerationState::Live).then_some(now))
    .bind(write_scope(scope)?)
    .fetch_one(&mut *conn)
    .await
    .map_err(failed)?;
    for name in description.tables.iter().flat_map(Table::readers_names) {
        sqlx::query("INSERT INTO lantern_tables (generation, name) VALUES (?, ?)")
            .bind(id)
            .bind(name)
            .execute(&mut *conn)
            .await
            .map_err(failed)?;
    }
    Ok(GenerationId(id))
}

async fn has_rows(
    conn: &mut SqliteConnection,
    id: GenerationId,
    description: &Description,
) -> Result<bool, StoreError> {
    for table in description.stored_tables() {
        let physical = quoted(&physical_table(id, &table.name));
        let any = sqlx::AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {physical})"));
        let any: bool = sqlx::query_scalar(any)
            .persistent(false)
            .fetch_one(&mut *conn)
            .await
            .map_err(failed)?;
        if any {
            return Ok(true);
        }
    }
    Ok(false)
}

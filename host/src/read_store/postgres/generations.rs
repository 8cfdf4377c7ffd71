//! Begins generations and gives them up.

use sqlx::postgres::PgConnection;

use super::change::{RecordChange, execute};
use super::error::failed;
use super::ownership::check_names;
use super::space::Space;
use super::{ddl, records, tables};
use crate::model::{
    Description, Digest, GenerationId, GenerationState, ProjectorName, ProjectorRecord, Scope,
    Table, Timestamp, WantedState,
};
use crate::read_store::StoreError;
use crate::read_store::stored::{write_json, write_scope};

/// See `ReadStore::begin_generation`.
pub(super) async fn begin(
    space: &Space,
    description: &Description,
    digest: &Digest,
    newest: Option<GenerationId>,
    scope: &Scope,
) -> Result<GenerationId, StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let projector = &description.name;
    let record = records::projector(&mut change, space, projector).await?;
    let found = record.as_ref().and_then(ProjectorRecord::newest);
    if found.map(|generation| generation.id) != newest {
        return Err(StoreError::Overtaken(projector.to_string()));
    }
    check_names(&mut change, space, projector, &description.tables).await?;
    let make = space.sql(
        "INSERT INTO lantern.projectors (name, wanted) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    );
    sqlx::query(make)
        .bind(projector.as_str())
        .bind(WantedState::Running.as_str())
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    forget(&mut change, space, projector, GenerationState::Building).await?;
    let state = match record.as_ref().and_then(ProjectorRecord::live) {
        Some(_) => GenerationState::Building,
        None => GenerationState::Live,
    };
    let id = insert(&mut change, space, description, digest, (state, scope)).await?;
    for table in &description.tables {
        let mut sql = ddl::create_table(space, id, table);
        if state == GenerationState::Live {
            for shown in ddl::Shown::of(table) {
                sql = format!("{sql}; {}", shown.create(space, id));
            }
        }
        execute(&mut change, sql).await.map_err(failed)?;
    }
    for table in description.host_tables() {
        let make = ddl::create_table(space, id, &table);
        execute(&mut change, make).await.map_err(failed)?;
    }
    change.commit().await?;
    tables::drop_unrecorded_soon(space).await;
    Ok(id)
}

/// See `ReadStore::adopt`.
pub(super) async fn adopt(
    space: &Space,
    id: GenerationId,
    description: &Description,
    digest: &Digest,
) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let stored = records::generation(&mut change, space, id).await?;
    let (_, generation) = stored.ok_or(StoreError::NoGeneration(id))?;
    if generation.description.stored_tables() != description.stored_tables() {
        let message =
            format!("the tables of generation {id} are not those of the component it was given");
        return Err(StoreError::Broken(message.into()));
    }
    let set = space.sql(
        "UPDATE lantern.generations SET digest = $1, description = $2, failure = NULL WHERE id = $3",
    );
    sqlx::query(set)
        .bind(&digest.0)
        .bind(write_json(description)?)
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    let retry = space.sql(
        "UPDATE lantern.dead_letters SET asked = coalesce(asked, 'retry') WHERE generation = $1",
    );
    sqlx::query(retry)
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    end_epoch(&mut change, space, id).await?;
    change.commit().await
}

/// See `ReadStore::abandon`. One that is no longer building is left alone.
pub(super) async fn abandon(space: &Space, id: GenerationId) -> Result<(), StoreError> {
    let mut change = RecordChange::begin(space).await?;
    let give_up = space.sql("DELETE FROM lantern.generations WHERE id = $1 AND state = 'building'");
    sqlx::query(give_up)
        .bind(id.0)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
    change.commit().await?;
    tables::drop_unrecorded_soon(space).await;
    Ok(())
}

/// Removes the records of a projector's generations in one state. Their tables
/// stay, for [`tables::drop_unrecorded`] to drop after the transaction.
pub(super) async fn forget(
    connection: &mut PgConnection,
    space: &Space,
    projector: &ProjectorName,
    state: GenerationState,
) -> Result<(), StoreError> {
    let forget = space.sql("DELETE FROM lantern.generations WHERE projector = $1 AND state = $2");
    sqlx::query(forget)
        .bind(projector.as_str())
        .bind(state.as_str())
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

/// Ends whatever claim there is.
pub(super) async fn end_epoch(
    connection: &mut PgConnection,
    space: &Space,
    id: GenerationId,
) -> Result<(), StoreError> {
    let end = space.sql("UPDATE lantern.progress SET epoch = epoch + 1 WHERE generation = $1");
    sqlx::query(end)
        .bind(id.0)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

/// Counts that something was asked of a generation; by that its worker sees it.
pub(super) async fn count_request(
    connection: &mut PgConnection,
    space: &Space,
    id: GenerationId,
) -> Result<(), StoreError> {
    let count = space.sql("UPDATE lantern.generations SET asked = asked + 1 WHERE id = $1");
    sqlx::query(count)
        .bind(id.0)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed)
}

async fn insert(
    connection: &mut PgConnection,
    space: &Space,
    description: &Description,
    digest: &Digest,
    (state, scope): (GenerationState, &Scope),
) -> Result<GenerationId, StoreError> {
    let now = Timestamp::now().0;
    let insert = space.sql(
        "INSERT INTO lantern.generations (projector, state, digest, description, created_at, live_at, \
         scope) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    );
    let id: i64 = sqlx::query_scalar(insert)
        .bind(description.name.as_str())
        .bind(state.as_str())
        .bind(&digest.0)
        .bind(write_json(description)?)
        .bind(now)
        .bind((state == GenerationState::Live).then_some(now))
        .bind(write_scope(scope)?)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let names: Vec<String> = description
        .tables
        .iter()
        .flat_map(Table::readers_names)
        .collect();
    let rest = space.sql(
        "WITH progress AS (INSERT INTO lantern.progress (generation) VALUES ($1)) \
         INSERT INTO lantern.tables (generation, name) SELECT $1, unnest($2::text[])",
    );
    sqlx::query(rest)
        .bind(id)
        .bind(names)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(GenerationId(id))
}

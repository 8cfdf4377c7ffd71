//! Hands the readers' names to another generation.
//!
//! The names are views. One transaction drops the views of one generation and
//! makes those of the other, so that a reader sees the former rows until it
//! commits and the new ones from then on; nobody ever finds a name missing.

use sqlx::{SqliteConnection, SqlitePool};

use super::change::RecordChange;
use super::error::failed;
use super::generations::{execute, forget};
use super::ownership::check_names;
use super::{ddl, records, tables};
use crate::model::{
    Generation, GenerationId, GenerationState, ProjectorName, Timestamp, WantedState,
};
use crate::read_store::checkpoint::may_swap;
use crate::read_store::{StoreError, Swap};

/// See `ReadStore::swap`.
pub(super) async fn swap(pool: &SqlitePool, id: GenerationId) -> Result<Swap, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let Some((projector, next)) = records::generation(&mut change, id).await? else {
        return Ok(Swap::Gone);
    };
    if next.state != GenerationState::Building {
        return Ok(Swap::Gone);
    }
    let live = live_of(&mut change, &projector).await?;
    match may_swap(&next, live.as_ref()) {
        Swap::Done => {}
        other => return Ok(other),
    }
    forget(&mut change, &projector, GenerationState::Retired).await?;
    hand_over(&mut change, &projector, live.as_ref(), &next).await?;
    if next.scope.rewinds_to().is_some() {
        stand_still(&mut change, &projector).await?;
    }
    change.commit().await?;
    tables::drop_unrecorded_soon(pool).await;
    Ok(Swap::Done)
}

/// See `ReadStore::roll_back`.
pub(super) async fn roll_back(
    pool: &SqlitePool,
    projector: &ProjectorName,
) -> Result<GenerationId, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let record = records::projector(&mut change, projector).await?;
    let record = record.ok_or_else(|| StoreError::NoProjector(projector.to_string()))?;
    let former = record
        .retired()
        .ok_or_else(|| StoreError::NothingRetired(projector.to_string()))?;
    forget(&mut change, projector, GenerationState::Building).await?;
    hand_over(&mut change, projector, record.live(), former).await?;
    change.commit().await?;
    tables::drop_unrecorded_soon(pool).await;
    Ok(former.id)
}

/// Takes the readers' names from one generation, which is retired, and gives
/// them to another, which becomes live.
async fn hand_over(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
    from: Option<&Generation>,
    to: &Generation,
) -> Result<(), StoreError> {
    // A name that only the new generation has may have been taken by a stranger
    // since it was begun.
    check_names(conn, projector, &to.description.tables).await?;
    if let Some(from) = from {
        for sql in from.description.tables.iter().flat_map(ddl::drop_views) {
            execute(conn, sql).await?;
        }
        // First, as no projector may ever have two live generations.
        become_state(conn, from.id, GenerationState::Retired).await?;
    }
    for (at, table) in to.description.tables.iter().enumerate() {
        for sql in ddl::create_views(to.id, at, table) {
            execute(conn, sql).await?;
        }
    }
    become_state(conn, to.id, GenerationState::Live).await
}

/// What was rewound stands there until it is resumed: a host that is quick must
/// not take it on again.
async fn stand_still(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE lantern_projectors SET wanted = ? WHERE name = ? AND wanted = ?")
        .bind(WantedState::Paused.as_str())
        .bind(projector.as_str())
        .bind(WantedState::Running.as_str())
        .execute(conn)
        .await
        .map(drop)
        .map_err(failed)
}

async fn become_state(
    conn: &mut SqliteConnection,
    id: GenerationId,
    state: GenerationState,
) -> Result<(), StoreError> {
    let first_seen = (state == GenerationState::Live).then(|| Timestamp::now().0);
    sqlx::query(
        "UPDATE lantern_generations SET state = ?, epoch = epoch + 1, live_at = coalesce(live_at, ?) WHERE id = ?",
    )
    .bind(state.as_str())
    .bind(first_seen)
    .bind(id.0)
    .execute(conn)
    .await
    .map(drop)
    .map_err(failed)
}

async fn live_of(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
) -> Result<Option<Generation>, StoreError> {
    let record = records::projector(conn, projector).await?;
    Ok(record.and_then(|record| record.live().cloned()))
}

//! Hands the readers' names to another generation.
//!
//! The names are views. One transaction makes them show the tables of the other
//! generation, so that a reader sees the former rows until it commits and the new
//! ones from then on; nobody ever finds a name missing.

use super::change::RecordChange;
use super::error::failed;
use super::generations::{end_epoch, forget};
use super::ownership::check_names;
use super::space::Space;
use super::views::{Obstacle, hand_over, take_names};
use super::{holders, records, tables};
use crate::model::{
    Generation, GenerationId, GenerationState, ProjectorName, ProjectorRecord, Timestamp,
    WantedState,
};
use crate::read_store::checkpoint::may_swap;
use crate::read_store::{StoreError, Swap};

/// See `ReadStore::swap`.
pub(super) async fn swap(space: &Space, id: GenerationId) -> Result<Swap, StoreError> {
    match try_swap(space, id).await {
        Ok(Swap::Done) => {
            tables::drop_unrecorded_soon(space).await;
            Ok(Swap::Done)
        }
        Ok(other) => Ok(other),
        Err(Obstacle::Busy) => Ok(Swap::Busy(holders::of_generation(space, id).await?)),
        Err(Obstacle::Store(error)) => Err(error),
    }
}

/// See `ReadStore::roll_back`.
pub(super) async fn roll_back(
    space: &Space,
    projector: &ProjectorName,
) -> Result<GenerationId, StoreError> {
    match try_roll_back(space, projector).await {
        Ok(id) => {
            tables::drop_unrecorded_soon(space).await;
            Ok(id)
        }
        Err(Obstacle::Busy) => Err(holders::unavailable(space, projector).await),
        Err(Obstacle::Store(error)) => Err(error),
    }
}

async fn try_swap(space: &Space, id: GenerationId) -> Result<Swap, Obstacle> {
    let mut change = RecordChange::begin_within(space, space.lock_wait).await?;
    let Some((projector, _)) = records::generation(&mut change, space, id).await? else {
        return Ok(Swap::Gone);
    };
    let Some(record) = hold(&mut change, space, &projector).await? else {
        return Ok(Swap::Gone);
    };
    let Some(next) = record.building().filter(|building| building.id == id) else {
        return Ok(Swap::Gone);
    };
    match may_swap(next, record.live()) {
        Swap::Done => {}
        other => return Ok(other),
    }
    forget(&mut change, space, &projector, GenerationState::Retired).await?;
    give_names(&mut change, space, &record, next).await?;
    if next.scope.rewinds_to().is_some() {
        stand_still(&mut change, space, &projector).await?;
    }
    change.commit().await?;
    Ok(Swap::Done)
}

async fn try_roll_back(space: &Space, projector: &ProjectorName) -> Result<GenerationId, Obstacle> {
    let mut change = RecordChange::begin_within(space, space.lock_wait).await?;
    let record = hold(&mut change, space, projector).await?;
    let record = record.ok_or_else(|| StoreError::NoProjector(projector.to_string()))?;
    let former = record
        .retired()
        .ok_or_else(|| StoreError::NothingRetired(projector.to_string()))?;
    forget(&mut change, space, projector, GenerationState::Building).await?;
    give_names(&mut change, space, &record, former).await?;
    change.commit().await?;
    Ok(former.id)
}

/// Holds the records of a projector's generations, and with them its commits,
/// before any reader has to wait; then says how they stand.
async fn hold(
    change: &mut RecordChange<'_>,
    space: &Space,
    projector: &ProjectorName,
) -> Result<Option<ProjectorRecord>, Obstacle> {
    for sql in [
        "SELECT 1 FROM lantern.generations WHERE projector = $1 ORDER BY id FOR UPDATE",
        "SELECT 1 FROM lantern.progress WHERE generation IN \
             (SELECT id FROM lantern.generations WHERE projector = $1) \
         ORDER BY generation FOR UPDATE",
    ] {
        sqlx::query(space.sql(sql))
            .bind(projector.as_str())
            .execute(&mut **change)
            .await?;
    }
    Ok(records::projector(change, space, projector).await?)
}

/// Takes the readers' names from the live generation, which is retired, and
/// gives them to another, which becomes live.
async fn give_names(
    change: &mut RecordChange<'_>,
    space: &Space,
    record: &ProjectorRecord,
    to: &Generation,
) -> Result<(), Obstacle> {
    let from = record.live();
    // A name that only the new generation has may have been taken by a stranger
    // since it was begun.
    check_names(change, space, &record.name, &to.description.tables).await?;
    let tables = from.map_or(&[][..], |from| &from.description.tables);
    let views = take_names(change, space, tables).await?;
    hand_over(change, space, &views, from, to).await?;
    if let Some(from) = from {
        // First, as no projector may ever have two live generations.
        become_state(change, space, from.id, GenerationState::Retired).await?;
    }
    become_state(change, space, to.id, GenerationState::Live).await?;
    Ok(())
}

/// What was rewound stands there until it is resumed: a host that is quick must
/// not take it on again.
async fn stand_still(
    change: &mut RecordChange<'_>,
    space: &Space,
    projector: &ProjectorName,
) -> Result<(), StoreError> {
    let pause =
        space.sql("UPDATE lantern.projectors SET wanted = $1 WHERE name = $2 AND wanted = $3");
    sqlx::query(pause)
        .bind(WantedState::Paused.as_str())
        .bind(projector.as_str())
        .bind(WantedState::Running.as_str())
        .execute(&mut **change)
        .await
        .map(drop)
        .map_err(failed)
}

async fn become_state(
    change: &mut RecordChange<'_>,
    space: &Space,
    id: GenerationId,
    state: GenerationState,
) -> Result<(), StoreError> {
    let first_seen = (state == GenerationState::Live).then(|| Timestamp::now().0);
    let set = space.sql(
        "UPDATE lantern.generations SET state = $1, live_at = coalesce(live_at, $2) WHERE id = $3",
    );
    sqlx::query(set)
        .bind(state.as_str())
        .bind(first_seen)
        .bind(id.0)
        .execute(&mut **change)
        .await
        .map_err(failed)?;
    end_epoch(change, space, id).await
}

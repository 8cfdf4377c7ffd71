//! Events that wait for an earlier version of their entity.

use super::dead_letters::{DeadLettersOf, generation};
use super::error::OperationError;
use super::lantern::Lantern;
use crate::model::WaitingEvent;

/// The waiting events of a projector that asks for strict order, by position.
pub async fn waiting_events(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
) -> Result<Vec<WaitingEvent>, OperationError> {
    let (_, record) = lantern.record(name).await?;
    let waiting = lantern.store.waiting(generation(&record, of)?.id).await?;
    Ok(waiting.into_iter().filter(|it| !it.given_up).collect())
}

/// Has the waiting events of an entity projected without what is missing before
/// them. The host that works on the projector does it, or the next one that is
/// started. Without a tenant, those of every tenant are meant. Returns how many
/// events are concerned.
///
/// # Errors
///
/// [`OperationError::NothingWaits`] when the entity has none.
pub async fn release_waiting_events(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
    tenant: Option<&str>,
    entity: &str,
) -> Result<u64, OperationError> {
    let (_, record) = lantern.record(name).await?;
    let id = generation(&record, of)?.id;
    match lantern.store.release_waiting(id, tenant, entity).await? {
        0 => Err(OperationError::NothingWaits {
            projector: name.to_owned(),
            entity: entity.to_owned(),
        }),
        events => Ok(events),
    }
}

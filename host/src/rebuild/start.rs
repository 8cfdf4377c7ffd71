//! Begins a rebuild of what is live.

use crate::model::{GenerationId, ProjectorName};
use crate::read_store::{ReadStore, StoreError};

/// Why a rebuild could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such projector, or it has nothing live.
    #[error("there is no live projector `{0}`")]
    NotLive(String),
    /// The read store could not record it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins to rebuild a projector with the component that is live. A rebuild of
/// the same projector that is under way is given up.
pub async fn start(
    store: &dyn ReadStore,
    name: &ProjectorName,
) -> Result<GenerationId, StartError> {
    let records = store.projectors().await?;
    let record = records.iter().find(|record| record.name == *name);
    let (live, newest) = record
        .and_then(|record| Some((record.live()?, record.newest()?.id)))
        .ok_or_else(|| StartError::NotLive(name.to_string()))?;
    Ok(store
        .begin_generation(&live.description, &live.digest, Some(newest))
        .await?)
}

//! The short verbs.

use std::io::{Read, Write};

use super::error::OperationError;
use super::lantern::Lantern;
use crate::append::{AppendReport, OnProgress};
use crate::model::WantedState;
use crate::read_store::{Answer, Query};
use crate::source::StreamInfo;

/// Appends CloudEvents, one a line, plain or gzip: see
/// [`append`](crate::append::append).
pub async fn append(
    lantern: &Lantern,
    input: Box<dyn Read + Send>,
    rejects: Option<Box<dyn Write + Send>>,
    progress: OnProgress,
) -> Result<AppendReport, OperationError> {
    Ok(crate::append::append(&*lantern.events, input, rejects, progress).await?)
}

/// Has a projector stand still until it is resumed, over restarts too. A
/// rebuild of it stands still as well.
pub async fn pause(lantern: &Lantern, name: &str) -> Result<(), OperationError> {
    let (name, _) = lantern.record(name).await?;
    lantern.store.set_wanted(&name, WantedState::Paused).await?;
    // Appends in between leave out what is paused; a host would do this, too.
    Ok(lantern.events.end_inline(name.as_str()).await?)
}

/// Whether a projector stands still because an operator wanted it to.
pub async fn is_paused(lantern: &Lantern, name: &str) -> Result<bool, OperationError> {
    let (_, record) = lantern.record(name).await?;
    Ok(record.wanted == WantedState::Paused)
}

/// Has a projector go on that was paused or that failed. The failure is
/// forgotten: the same event is tried again.
pub async fn resume(lantern: &Lantern, name: &str) -> Result<(), OperationError> {
    let (name, record) = lantern.record(name).await?;
    if record.wanted != WantedState::Running {
        // A rewind pauses, and leaves it to a host to take the projector from the
        // appends. It has to catch up before it can run inline again.
        lantern.events.end_inline(name.as_str()).await?;
    }
    for generation in record.live().into_iter().chain(record.building()) {
        if generation.failure.is_some() {
            lantern.store.set_failure(generation.id, None).await?;
        }
    }
    Ok(lantern
        .store
        .set_wanted(&name, WantedState::Running)
        .await?)
}

/// Gives readers the former generation back, at once. Returns the version that
/// is live now. The file in the watched folder is left alone until it changes.
pub async fn roll_back(lantern: &Lantern, name: &str) -> Result<String, OperationError> {
    let (name, _) = lantern.record(name).await?;
    let generation = lantern.store.roll_back(&name).await?;
    // The former generation has to catch up, and had better do it beside appends
    // than within the next one.
    lantern.events.end_inline(name.as_str()).await?;
    let (_, record) = lantern.record(name.as_str()).await?;
    let live = record.generations.iter().find(|g| g.id == generation);
    Ok(live
        .map(|g| g.description.version.to_string())
        .unwrap_or_default())
}

/// Removes a projector with its tables. Its events stay; if its file stays in
/// the watched folder, it is not loaded again before the file changes or the
/// host starts anew. One that only appends know of, as its read store is gone, is
/// taken from them.
pub async fn drop_projector(lantern: &Lantern, name: &str) -> Result<(), OperationError> {
    let dropped = match lantern.record(name).await {
        // First, or an append in between would fail for nothing. Should the rest not
        // succeed, a host hands it over again.
        Ok((name, _)) => {
            lantern.events.end_inline(name.as_str()).await?;
            lantern.store.drop_projector(&name).await?;
            return Ok(());
        }
        Err(unknown) => unknown,
    };
    if !lantern.events.inline().await?.iter().any(|it| it == name) {
        return Err(dropped);
    }
    Ok(lantern.events.end_inline(name).await?)
}

/// Answers a question about one read model.
pub async fn query(lantern: &Lantern, query: &Query) -> Result<Answer, OperationError> {
    Ok(lantern.store.query(query).await?)
}

/// The streams whose name begins with `prefix`.
pub async fn streams(
    lantern: &Lantern,
    prefix: &str,
    limit: usize,
) -> Result<Vec<StreamInfo>, OperationError> {
    Ok(lantern.events.streams(prefix, limit).await?)
}

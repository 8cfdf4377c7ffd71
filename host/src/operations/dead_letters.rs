//! Events that were set aside: which, why, and what to do with them.

use serde::Serialize;

use super::error::OperationError;
use super::lantern::Lantern;
use crate::model::{
    DeadLetter, DeadLetterChoice, DeadLetterRequest, Envelope, EventFilter, Generation,
    GenerationId, Position, ProjectorRecord,
};
use crate::source::event_at;

/// A dead letter, and whose it is.
#[derive(Debug, Clone, Serialize)]
pub struct ListedDeadLetter {
    /// The projector.
    pub projector: String,
    /// The generation whose rows lack it.
    pub generation: GenerationId,
    /// The letter.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// What was asked of it and is not done yet.
    pub asked: Option<DeadLetterRequest>,
}

/// A dead letter with its event.
#[derive(Debug, Clone, Serialize)]
pub struct ShownDeadLetter {
    /// The letter.
    #[serde(flatten)]
    pub letter: ListedDeadLetter,
    /// The event, as the log has it; `None` when it is gone.
    pub event: Option<LetterEvent>,
}

/// What an event brings besides what its letter says.
#[derive(Debug, Clone, Serialize)]
pub struct LetterEvent {
    /// Its id.
    pub id: String,
    /// Its payload, when that is text.
    pub data: Option<String>,
    /// The size of its payload in bytes.
    pub data_bytes: usize,
    /// Its metadata: a JSON object, or empty.
    pub metadata: String,
}

/// Which generation of a projector is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLettersOf {
    /// The one that readers see.
    Live,
    /// The one being built.
    Building,
}

/// The first dead letters of a projector, or of all, in the order of positions.
pub async fn dead_letters(
    lantern: &Lantern,
    name: Option<&str>,
    of: DeadLettersOf,
    choice: &DeadLetterChoice,
    limit: usize,
) -> Result<Vec<ListedDeadLetter>, OperationError> {
    let records = match name {
        Some(name) => vec![lantern.record(name).await?.1],
        None => lantern.store.projectors().await?,
    };
    let mut listed = Vec::new();
    for record in &records {
        // Asked of all projectors, one that is not being built has none.
        let generation = match generation(record, of) {
            Ok(generation) => generation,
            Err(_) if name.is_none() => continue,
            Err(error) => return Err(error),
        };
        let left = limit.saturating_sub(listed.len());
        let found = lantern
            .store
            .dead_letters(generation.id, choice, left)
            .await?;
        listed.extend(found.into_iter().map(|letter| ListedDeadLetter {
            projector: record.name.to_string(),
            generation: generation.id,
            asked: letter.asked,
            letter,
        }));
    }
    Ok(listed)
}

/// One dead letter with its event.
///
/// # Errors
///
/// [`OperationError::NoDeadLetter`] when that event was not set aside.
pub async fn dead_letter(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
    position: Position,
) -> Result<ShownDeadLetter, OperationError> {
    let choice = DeadLetterChoice::At(position);
    let found = dead_letters(lantern, Some(name), of, &choice, 1).await?;
    let Some(letter) = found.into_iter().next() else {
        return Err(none(name, &choice));
    };
    let event = event(lantern, position).await?;
    Ok(ShownDeadLetter { letter, event })
}

/// Has dead letters tried again, each stream from its first. The host that works on
/// the projector does it, or the next one that is started. Returns how many events
/// are concerned.
///
/// # Errors
///
/// [`OperationError::NoDeadLetter`] when nothing was set aside that is meant.
pub async fn retry_dead_letters(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
    choice: &DeadLetterChoice,
) -> Result<u64, OperationError> {
    // No event of a stream is tried before those ahead of it.
    let choice = match choice {
        DeadLetterChoice::At(_) => {
            let found = dead_letters(lantern, Some(name), of, choice, 1).await?;
            let Some(first) = found.into_iter().next() else {
                return Err(none(name, choice));
            };
            DeadLetterChoice::Stream {
                tenant: Some(first.letter.tenant),
                stream: first.letter.stream,
            }
        }
        other => other.clone(),
    };
    ask(lantern, name, of, &choice, DeadLetterRequest::Retry).await
}

/// Has dead letters given up: their events are never projected into these rows. What
/// waits behind one in its stream is tried. Returns how many are given up.
///
/// # Errors
///
/// [`OperationError::NoDeadLetter`] when nothing was set aside that is meant.
pub async fn discard_dead_letters(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
    choice: &DeadLetterChoice,
) -> Result<u64, OperationError> {
    ask(lantern, name, of, choice, DeadLetterRequest::Discard).await
}

async fn ask(
    lantern: &Lantern,
    name: &str,
    of: DeadLettersOf,
    choice: &DeadLetterChoice,
    request: DeadLetterRequest,
) -> Result<u64, OperationError> {
    let (_, record) = lantern.record(name).await?;
    let generation = generation(&record, of)?.id;
    let store = &lantern.store;
    let asked = store.ask_dead_letters(generation, choice, request).await?;
    match asked {
        0 => Err(none(name, choice)),
        asked => Ok(asked),
    }
}

pub(super) fn generation(
    record: &ProjectorRecord,
    of: DeadLettersOf,
) -> Result<&Generation, OperationError> {
    let found = match of {
        DeadLettersOf::Live => record.live(),
        DeadLettersOf::Building => record.building(),
    };
    found.ok_or_else(|| OperationError::NotBuilding {
        name: record.name.to_string(),
    })
}

fn none(name: &str, choice: &DeadLetterChoice) -> OperationError {
    OperationError::NoDeadLetter {
        name: name.to_owned(),
        which: match choice {
            DeadLetterChoice::All => String::new(),
            DeadLetterChoice::Stream { stream, .. } => format!(" of stream `{stream}`"),
            DeadLetterChoice::At(position) => format!(" at position {position}"),
        },
    }
}

async fn event(
    lantern: &Lantern,
    position: Position,
) -> Result<Option<LetterEvent>, OperationError> {
    let needs = Envelope {
        ids: true,
        streams: true,
        metadata: true,
    };
    let mut reader = lantern.events.reader(&EventFilter::default(), needs)?;
    let reading = tokio::task::spawn_blocking(move || event_at(&mut *reader, position));
    let event = match reading.await {
        Ok(event) => event?,
        // Never aborted, so it can only have panicked: pass that on.
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    };
    let Some(events) = event else {
        return Ok(None);
    };
    let is_binary = !events.binary.is_empty();
    Ok(Some(LetterEvent {
        id: events.ids,
        data_bytes: events.data.len() + events.binary.len(),
        data: (!is_binary).then_some(events.data),
        metadata: events.metadata,
    }))
}

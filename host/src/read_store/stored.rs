//! Words and documents as the records hold them.

use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use super::error::StoreError;
use crate::model::{Position, Scope, WaitingCount, WaitingEvent};

/// Reads a stored JSON document.
pub(super) fn read_json<T: DeserializeOwned>(stored: &str) -> Result<T, StoreError> {
    serde_json::from_str(stored).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Writes a JSON document.
pub(super) fn write_json(document: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| StoreError::Broken(error.into()))
}

/// Reads a stored word as the model writes it. A projector's name is not
/// checked again: that a later Lantern reserves more words must not lock out
/// projectors that are there.
pub(super) fn read_word<T: DeserializeOwned>(stored: &str) -> Result<T, StoreError> {
    let word: StringDeserializer<serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(stored.to_owned());
    T::deserialize(word).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Position, tenant, entity, version, stream, and whether it was given up or
/// released.
pub(super) type WaitingRow = (i64, String, String, i64, String, bool, bool);

/// Reads an event that waits.
pub(super) fn read_waiting(row: WaitingRow) -> WaitingEvent {
    let (position, tenant, entity, version, stream, given_up, released) = row;
    WaitingEvent {
        position: Position(position as u64),
        tenant,
        entity,
        version: version as u64,
        stream,
        given_up,
        released,
    }
}

/// Reads how many events wait, and the first of them.
pub(super) fn read_count(events: i64, oldest: Option<i64>) -> WaitingCount {
    WaitingCount {
        events: events as u64,
        oldest: oldest.map(|position| Position(position as u64)),
    }
}

/// Reads which events a generation is built from; nothing is stored for all.
pub(super) fn read_scope(stored: Option<&str>) -> Result<Scope, StoreError> {
    stored.map_or(Ok(Scope::All), read_json)
}

/// Writes which events a generation is built from.
pub(super) fn write_scope(scope: &Scope) -> Result<Option<String>, StoreError> {
    (*scope != Scope::All)
        .then(|| write_json(scope))
        .transpose()
}

//! What is said and learnt when events are appended.

use serde::Serialize;

use super::error::SourceError;
use crate::model::{Event, Payload, Position};

/// A stream and the version it must have before an append: the number of its
/// events so far, 0 for a stream that must not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedVersion {
    /// The tenant the stream belongs to, or `""`.
    pub tenant: String,
    /// The stream.
    pub stream: String,
    /// How many events it must have.
    pub version: u64,
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Appended {
    /// How many events are new.
    pub appended: u64,
    /// How many were there already, by their ids.
    pub duplicates: u64,
    /// The position of the last event of this append, or, when all were
    /// duplicates, the highest position among those. A read model that has come
    /// this far shows them all. `None` when no event was given.
    pub last_position: Option<Position>,
}

/// A stream of an event store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamInfo {
    /// The tenant it belongs to, or `""`.
    pub tenant: String,
    /// Its name.
    pub stream: String,
    /// How many events it has.
    pub version: u64,
}

/// The longest id, source, type or stream, in bytes. They are index keys.
pub(super) const MAX_NAME_BYTES: usize = 1_024;

/// The longest tenant, in bytes. It becomes part of the keys of read models.
pub(super) const MAX_TENANT_BYTES: usize = 256;

/// The most bytes of payload and metadata. A batch counts its bytes in 32 bits
/// and always holds at least one event; this keeps far from both limits.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// Checks what every event store asks of an event.
pub(super) fn check_event(event: &Event) -> Result<(), SourceError> {
    check_parts(event).map_err(|reason| SourceError::InvalidEvent {
        // A hostile id may be long; show a piece.
        id: event
            .id
            .chars()
            .take(64)
            .flat_map(char::escape_default)
            .collect(),
        reason,
    })
}

/// The same, with nothing but the reason.
pub(super) fn check_parts(event: &Event) -> Result<(), String> {
    let names = [
        ("id", &event.id),
        ("source", &event.source),
        ("type", &event.event_type),
        ("stream", &event.stream),
    ];
    for (what, name) in names {
        if name.is_empty() {
            return Err(format!("its {what} is empty"));
        }
        check_name(what, name, MAX_NAME_BYTES)?;
    }
    check_name("tenant", &event.tenant, MAX_TENANT_BYTES)?;
    let data = match &event.data {
        Payload::Text(text) => text.len(),
        Payload::Binary(bytes) => bytes.len(),
    };
    let body = data + event.metadata.as_ref().map_or(0, String::len);
    if body > MAX_BODY_BYTES {
        return Err(format!(
            "its data and metadata have {body} bytes; the most allowed is {MAX_BODY_BYTES}"
        ));
    }
    Ok(())
}

fn check_name(what: &str, name: &str, most: usize) -> Result<(), String> {
    if name.len() > most {
        return Err(format!(
            "its {what} has {} bytes; the most allowed is {most}",
            name.len()
        ));
    }
    if name.contains('\0') {
        return Err(format!("its {what} contains a NUL character"));
    }
    Ok(())
}

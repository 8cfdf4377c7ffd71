//! What comes in: events, one by one, typed.

use std::fmt;
use std::ops::{Deref, Range};

use serde::Deserialize;

use crate::bindings::lantern::projector::types::Batch;
use crate::error::Result;
use crate::payload::{Payload, PayloadError};
use crate::timestamp::Timestamp;

/// An event of a batch. `D` is an enum that derives [`Events`], or `()` for a
/// projector that looks at no payload.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a, D> {
    /// The global position in its source.
    pub position: u64,
    /// The version in its stream, counted from 1.
    pub version: u64,
    /// When it happened.
    pub time: Timestamp,
    /// Its type, such as `order.created`.
    pub event_type: &'a str,
    /// Its tenant, if it has one.
    pub tenant: Option<&'a str>,
    /// Its id. Ask for it with `needs(ids)`.
    pub id: Part<'a>,
    /// Its stream. Ask for it with `needs(streams)`.
    pub stream: Part<'a>,
    /// Its metadata: a JSON object, or empty. Ask for it with `needs(metadata)`.
    pub metadata: Part<'a>,
    /// The payload as it came; empty for a binary one.
    pub raw: &'a str,
    /// The payload when it is no text; else empty.
    pub binary: &'a [u8],
    /// The payload, typed.
    pub data: D,
}

/// A part of an event that is there only for a projector that asks for it; it
/// reads as a `&str`.
///
/// # Panics
///
/// Reading it panics when the projector did not ask, with the words to add.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    text: Option<&'a str>,
    name: &'static str,
}

/// The events a projector knows, as an enum with a variant per event type.
/// Derived; `()` stands for all events, whatever their payload.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which events it stands for",
    note = "derive `Events` on an enum, or use `()` for events without their payload"
)]
pub trait Events<'a>: Sized {
    /// The event types that the projector wants; none means all.
    #[doc(hidden)]
    const TYPES: &'static [&'static str];

    /// The variant for an event type; `None` when there is none for it.
    #[doc(hidden)]
    fn route(event_type: &str) -> Option<u32>;

    /// Reads a payload as the variant that `route` named.
    #[doc(hidden)]
    fn read(route: u32, payload: Payload<'a>) -> Result<Self, PayloadError>;
}

impl Events<'_> for () {
    const TYPES: &'static [&'static str] = &[];

    #[inline]
    fn route(_: &str) -> Option<u32> {
        Some(0)
    }

    #[inline]
    fn read(_: u32, _: Payload<'_>) -> Result<(), PayloadError> {
        Ok(())
    }
}

impl<'a> Part<'a> {
    /// The text.
    ///
    /// # Panics
    ///
    /// Panics when the projector did not ask for this part.
    #[inline]
    #[track_caller]
    pub fn as_str(self) -> &'a str {
        match self.text {
            Some(text) => text,
            None => panic!(
                "this projector has not asked for {0}: add `needs({0})` to its #[projector(..)]",
                self.name
            ),
        }
    }

    /// Reads the text as JSON; `None` when it is empty.
    ///
    /// # Errors
    ///
    /// Fails when the text is no JSON or does not fit the type.
    ///
    /// # Panics
    ///
    /// Panics when the projector did not ask for this part.
    #[track_caller]
    pub fn json<T: Deserialize<'a>>(self) -> Result<Option<T>> {
        match self.as_str() {
            "" => Ok(None),
            text => Ok(Some(serde_json::from_str(text)?)),
        }
    }
}

impl Deref for Part<'_> {
    type Target = str;

    #[track_caller]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// Walks through a batch, cutting each event's texts out of the columns.
pub(crate) struct Walk<'a> {
    batch: &'a Batch,
    at: usize,
    data: usize,
    binary: usize,
    id: usize,
    stream: usize,
    metadata: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(batch: &'a Batch) -> Self {
        Self {
            batch,
            at: 0,
            data: 0,
            binary: 0,
            id: 0,
            stream: 0,
            metadata: 0,
        }
    }
}

/// Each event untyped, with its type as an index into the batch's type names.
///
/// The host has checked the columns, so that an index or an end outside of them
/// is a fault of the host; the panic says so in the operator's log.
impl<'a> Iterator for Walk<'a> {
    type Item = (usize, Event<'a, ()>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch;
        let at = self.at;
        let position = *batch.positions.get(at)?;
        self.at += 1;
        let event_type = batch.types[at] as usize;
        let tenant = batch.tenant_names[batch.tenants[at] as usize].as_str();
        let part = |column: &'a str, ends: &[u32], start: &mut usize, name| Part {
            text: cut(ends, at, start).map(|range| &column[range]),
            name,
        };
        let event = Event {
            position,
            version: batch.versions[at],
            time: Timestamp(batch.times[at]),
            event_type: &batch.type_names[event_type],
            tenant: (!tenant.is_empty()).then_some(tenant),
            id: part(&batch.ids, &batch.id_ends, &mut self.id, "ids"),
            stream: part(
                &batch.streams,
                &batch.stream_ends,
                &mut self.stream,
                "streams",
            ),
            metadata: part(
                &batch.metadata,
                &batch.metadata_ends,
                &mut self.metadata,
                "metadata",
            ),
            raw: cut(&batch.data_ends, at, &mut self.data).map_or("", |range| &batch.data[range]),
            binary: cut(&batch.binary_ends, at, &mut self.binary)
                .map_or(&[], |range| &batch.binary[range]),
            data: (),
        };
        Some((event_type, event))
    }
}

/// Where entry `at` of a column stands; `None` when the column is not there.
#[inline]
fn cut(ends: &[u32], at: usize, start: &mut usize) -> Option<Range<usize>> {
    let end = *ends.get(at)? as usize;
    let range = *start..end;
    *start = end;
    Some(range)
}

impl<'a> Event<'a, ()> {
    #[inline]
    pub(crate) fn payload(&self) -> Payload<'a> {
        Payload {
            text: self.raw,
            binary: self.binary,
        }
    }

    #[inline]
    pub(crate) fn with_data<D>(self, data: D) -> Event<'a, D> {
        Event {
            position: self.position,
            version: self.version,
            time: self.time,
            event_type: self.event_type,
            tenant: self.tenant,
            id: self.id,
            stream: self.stream,
            metadata: self.metadata,
            raw: self.raw,
            binary: self.binary,
            data,
        }
    }
}

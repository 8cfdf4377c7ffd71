//! Events, as they are appended.

use super::time::Timestamp;

/// One event on its way into an event store. The store gives it its position
/// and its version in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique within `source`: the same event appended twice is kept once.
    pub id: String,
    /// The system the event comes from (CloudEvents `source`).
    pub source: String,
    /// The event's type, such as `order.created`.
    pub event_type: String,
    /// The stream the event belongs to (CloudEvents `subject`).
    pub stream: String,
    /// The tenant, or `""`.
    pub tenant: String,
    /// When it happened.
    pub time: Timestamp,
    /// What it says.
    pub data: Payload,
    /// Everything else that came with it, as a JSON object: `source`, other
    /// CloudEvents attributes and extensions.
    pub metadata: Option<String>,
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Text, JSON as a rule; `""` for an event without a body.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
}

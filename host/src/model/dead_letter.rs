//! Events that were set aside.

use serde::{Deserialize, Serialize};

use super::generation::{Digest, FailureClass};
use super::position::Position;
use super::time::Timestamp;

/// An event that a projector was not given, or could not project, and that the
/// checkpoint has gone past. Its payload stays in the log.
///
/// A stream that has one is quarantined: whatever it brings later waits behind
/// it, so that each stream is projected in order or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The event.
    pub position: Position,
    /// Its tenant; empty is no tenant.
    pub tenant: String,
    /// Its stream.
    pub stream: String,
    /// Its version in the stream.
    pub version: u64,
    /// Its type.
    pub event_type: String,
    /// When it happened.
    pub time: Timestamp,
    /// Why it cannot be projected; `None` for one that waits behind another of
    /// its stream and has not been tried.
    pub error: Option<DeadLetterError>,
    /// How often it has been tried.
    pub attempts: u64,
    /// When it was set aside.
    pub set_aside_at: Timestamp,
    /// What the operator asked for and the host has not done yet.
    #[serde(skip)]
    pub asked: Option<DeadLetterRequest>,
}

/// Why an event could not be projected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterError {
    /// Whose fault it is.
    pub class: FailureClass,
    /// What happened, in one line or a few.
    pub cause: String,
    /// The component that was tried last.
    pub digest: Digest,
    /// When that was.
    pub at: Timestamp,
}

/// What an operator may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeadLetterRequest {
    /// Project the stream's events, from its first dead letter on.
    Retry,
    /// Never project this event.
    Discard,
}

impl DeadLetterRequest {
    /// The request as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            DeadLetterRequest::Retry => "retry",
            DeadLetterRequest::Discard => "discard",
        }
    }
}

/// What one commit does to the dead letters of a generation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterChanges {
    /// Set aside, or tried again in vain. What each says was asked of it is done; what
    /// was asked meanwhile stays.
    pub puts: Vec<DeadLetter>,
    /// Projected after all, or discarded.
    pub removes: Vec<Position>,
    /// To be tried next, unless something was asked of them already.
    pub asks: Vec<Position>,
}

impl DeadLetterChanges {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.removes.is_empty() && self.asks.is_empty()
    }
}

/// Some of a generation's dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterChoice {
    /// All of them.
    All,
    /// Those of one stream.
    Stream {
        /// The tenant; `None` for every tenant's stream of that name.
        tenant: Option<String>,
        /// The stream.
        stream: String,
    },
    /// One event.
    At(Position),
}

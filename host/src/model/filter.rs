//! Which events a projector gets, and which parts of them.

use serde::{Deserialize, Serialize};

/// Which events a projector gets: those that match every list that is not
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventFilter {
    /// Event types.
    pub types: Vec<Pattern>,
    /// Streams.
    pub streams: Vec<Pattern>,
    /// Tenants.
    pub tenants: Vec<Pattern>,
}

impl EventFilter {
    /// Whether an event passes.
    pub fn matches(&self, event_type: &str, stream: &str, tenant: &str) -> bool {
        let one_of =
            |list: &[Pattern], name| list.is_empty() || list.iter().any(|p| p.matches(name));
        one_of(&self.types, event_type)
            && one_of(&self.streams, stream)
            && one_of(&self.tenants, tenant)
    }
}

/// A name, or the beginning of one followed by `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self.prefix() {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.0,
        }
    }

    /// The beginning that is asked for, or `None` for an exact name.
    pub fn prefix(&self) -> Option<&str> {
        self.0.strip_suffix('*')
    }
}

/// The parts of an event that are read and sent only to those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    /// Event ids.
    pub ids: bool,
    /// Stream names.
    pub streams: bool,
    /// Metadata.
    pub metadata: bool,
}

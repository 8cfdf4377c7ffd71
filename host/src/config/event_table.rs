//! How a team's own event table is read.

use std::time::Duration;

/// Whose events they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Lantern's own event store.
    #[default]
    Lantern,
    /// Marten (.NET).
    Marten,
    /// message-db (Eventide).
    MessageDb,
    /// Emmett (Node.js).
    Emmett,
    /// The Python library `eventsourcing`.
    Eventsourcing,
    /// Commanded's EventStore (Elixir).
    Commanded,
    /// Axon Framework (Java), with JPA.
    Axon,
    /// Axon Framework (Java), with JDBC.
    AxonJdbc,
    /// A table described by settings alone.
    Custom,
}

/// What is done about positions that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gaps {
    /// They are waited for until it is proven that nobody can fill them.
    #[default]
    Prove,
    /// They are passed at once. Safe only where a single writer appends.
    Ignore,
}

/// A team's own event table: a preset, and what differs from it. Texts are SQL;
/// an empty one means what the preset says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventTableSettings {
    /// Whose table it is.
    pub preset: Preset,
    /// The table, with its schema; or any expression that may follow `FROM`.
    pub table: String,
    /// The global position.
    pub position: String,
    /// The stream.
    pub stream: String,
    /// The version in the stream.
    pub version: String,
    /// The event's type.
    pub event_type: String,
    /// The event's id.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// When it happened.
    pub time: String,
    /// The payload.
    pub data: String,
    /// What else came with it.
    pub metadata: String,
    /// A condition that events must meet.
    pub filter: String,
    /// The sequence that gives positions.
    pub sequence: String,
    /// A channel that announces appends.
    pub channel: String,
    /// The version of a stream's first event.
    pub first_version: Option<u64>,
    /// What is done about missing positions.
    pub gaps: Gaps,
    /// How old a missing position must be before it may be passed, in
    /// milliseconds.
    pub gap_grace_ms: Option<u64>,
}

impl EventTableSettings {
    /// How old a missing position must be before it may be passed.
    pub fn gap_grace(&self) -> Option<Duration> {
        self.gap_grace_ms.map(Duration::from_millis)
    }
}

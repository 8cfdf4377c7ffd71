//! Generations: one build each of one projector's tables.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::order::WaitingCount;
use super::position::{Checkpoint, Position};
use super::projector::{Description, ProjectorName};
use super::scope::Scope;
use super::time::Timestamp;

/// The number of a generation, unique in its read store and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(pub i64);

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often the right to work on a generation has changed hands. A commit
/// names the epoch it was started in, and fails when a later one has begun.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub i64);

/// The SHA-256 of a component's bytes, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(bytes);
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// What a generation is for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationState {
    /// Being filled beside the live one.
    Building,
    /// The one that readers see.
    Live,
    /// Kept for a rollback.
    Retired,
}

impl GenerationState {
    /// The state as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            GenerationState::Building => "building",
            GenerationState::Live => "live",
            GenerationState::Retired => "retired",
        }
    }
}

impl fmt::Display for GenerationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the operator wants of a projector. It survives restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WantedState {
    /// It should project.
    Running,
    /// It should stand still.
    Paused,
    /// Its file is gone: it stands still, and its data stays.
    Detached,
}

impl WantedState {
    /// The state as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            WantedState::Running => "running",
            WantedState::Paused => "paused",
            WantedState::Detached => "detached",
        }
    }
}

impl fmt::Display for WantedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose fault a failure is, which decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// The projector's: it trapped, returned an error, sent a bad command. The
    /// same events would fail again, so the projector is stopped.
    Projector,
    /// The event's: the projector says that it cannot be projected.
    Event,
    /// The event log's: an event is missing, or cannot be read.
    Source,
    /// The environment's: the store is locked, the disk full. Tried again.
    Environment,
    /// Ours: a bug in the host.
    Host,
}

/// Why a projector stands still, told so that a person knows what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it is.
    pub class: FailureClass,
    /// What happened, in one line or a few.
    pub cause: String,
    /// What to do next.
    pub next_step: String,
    /// When it happened.
    pub at: Timestamp,
    /// The component that failed.
    pub digest: Option<Digest>,
    /// The event it happened at, when one event is to blame.
    pub position: Option<Position>,
    /// That event's type.
    pub event_type: Option<String>,
    /// That event's stream.
    pub stream: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        if let Some(position) = self.position {
            write!(f, " (event {position}")?;
            if let Some(event_type) = &self.event_type {
                write!(f, ", type {event_type}")?;
            }
            if let Some(stream) = &self.stream {
                write!(f, ", stream {stream}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// One build of one projector's tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number.
    pub id: GenerationId,
    /// The component that fills it.
    pub digest: Digest,
    /// What that component says of itself.
    pub description: Description,
    /// What it is for.
    pub state: GenerationState,
    /// Which events it is built from.
    pub scope: Scope,
    /// The last part whose rows it has taken over.
    pub took_over: Option<GenerationId>,
    /// How far it has come.
    pub checkpoint: Checkpoint,
    /// Whether its first fill is done, and its secondary indexes made, which are
    /// made after it. One of a part has none.
    pub indexed: bool,
    /// Why it stands still, when it failed.
    pub failure: Option<Failure>,
    /// How many events were set aside.
    pub dead_letters: u64,
    /// How many events wait for an earlier version of their entity.
    pub waiting: WaitingCount,
    /// How often anything was asked about dead letters.
    pub asked: u64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When readers first saw it.
    pub live_at: Option<Timestamp>,
}

impl Generation {
    /// Whether it holds the rows of a part, filled and sound, which are to be
    /// taken over by the live generation.
    pub fn is_part_ready(&self) -> bool {
        self.state == GenerationState::Building
            && self.scope.part().is_some()
            && self.indexed
            && self.failure.is_none()
    }

    /// The position that it was rewound to, while it stands there.
    pub fn stands_rewound_at(&self) -> Option<Position> {
        let position = self.scope.rewinds_to()?;
        (self.checkpoint == Checkpoint::at(position)).then_some(position)
    }
}

/// All that is stored about one projector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectorRecord {
    /// Its name.
    pub name: ProjectorName,
    /// What the operator wants of it.
    pub wanted: WantedState,
    /// The watched file it came from.
    pub file: Option<String>,
    /// The host whose watched folder that file is in.
    #[serde(default)]
    pub file_host: Option<String>,
    /// The component that this file held when it was last accepted.
    pub file_digest: Option<Digest>,
    /// Its generations, oldest first.
    pub generations: Vec<Generation>,
}

impl ProjectorRecord {
    /// The generation that readers see.
    pub fn live(&self) -> Option<&Generation> {
        self.in_state(GenerationState::Live)
    }

    /// The generation being filled, if there is one.
    pub fn building(&self) -> Option<&Generation> {
        self.in_state(GenerationState::Building)
    }

    /// The generation kept for a rollback, if there is one.
    pub fn retired(&self) -> Option<&Generation> {
        self.in_state(GenerationState::Retired)
    }

    /// The generation that the newest component belongs to. One of a part has
    /// none of its own: it is the live one's.
    pub fn newest(&self) -> Option<&Generation> {
        let building = self.building();
        building
            .filter(|building| building.scope.part().is_none())
            .or_else(|| self.live())
    }

    fn in_state(&self, state: GenerationState) -> Option<&Generation> {
        self.generations.iter().rev().find(|g| g.state == state)
    }
}

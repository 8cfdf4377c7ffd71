//! Hosts: who they are, what they hold, what they tell of themselves.

use super::{Claim, Usage};
use crate::model::{Checkpoint, GenerationId, Timestamp};

/// Who works on generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The host: the same name for every start on the same data directory, of
    /// which there is at most one at a time.
    pub host: String,
    /// This start of it.
    pub instance: String,
}

/// What became of an attempt to claim a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is the claimant's now.
    Taken(Claim),
    /// Another host holds it, and was heard of within the length of a lease.
    Held {
        /// That host.
        by: String,
    },
}

/// What a host tells of itself, so that other processes can see it live.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostRecord {
    /// The host: the same name for every start on the same data directory.
    #[serde(default)]
    pub host: String,
    /// A random name, new for every start.
    pub instance: String,
    /// The process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When its loop last came round.
    pub heartbeat_at: Timestamp,
    /// What its workers are doing.
    pub activities: Vec<Activity>,
    /// Files in the watched folder that are not in use, and why.
    pub refused: Vec<RefusedFile>,
    /// How far the log may be read, as far as it knows. What it has seen proven,
    /// another process would have to wait for again.
    #[serde(default)]
    pub head: Checkpoint,
    /// What keeps the head of the log from moving on, if anything does.
    #[serde(default)]
    pub held_back: Option<String>,
    /// Its connections to each database server.
    #[serde(default)]
    pub connections: Vec<Usage>,
}

/// A host, as seen by whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenHost {
    /// What it last told of itself.
    pub record: HostRecord,
    /// Whether it was heard of within the length of a lease, by the database's
    /// clock.
    pub alive: bool,
}

/// What one worker is doing.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// The generation it works on.
    pub generation: GenerationId,
    /// A word or two: `live`, `catching up`, `building indexes`, `retrying`.
    pub phase: String,
    /// Events per second, averaged over some seconds.
    pub events_per_second: f64,
    /// When its loop last came round, whether or not there was an event.
    pub last_cycle_at: Timestamp,
    /// What it waits for, when something is wrong but being tried again.
    pub trouble: Option<String>,
    /// When it works: at once, in batches, by a schedule.
    #[serde(default)]
    pub update: String,
    /// When it works next, while it sleeps.
    #[serde(default)]
    pub next_run_at: Option<Timestamp>,
    /// Commands ignored since `since`, as their rows were as new or newer.
    #[serde(default)]
    pub ignored: u64,
    /// Events left out since then by strict order, as their entities had come to
    /// their versions before.
    #[serde(default)]
    pub repeated: u64,
    /// When it began to work.
    #[serde(default)]
    pub since: Timestamp,
}

/// A file that was not taken into use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefusedFile {
    /// The file's name in the watched folder.
    pub file: String,
    /// Why, and what to do.
    pub reason: String,
    /// When it was looked at.
    pub at: Timestamp,
}

//! How everything stands.

use serde::Serialize;

use super::error::OperationError;
use super::lantern::Lantern;
use crate::host::HostLock;
use crate::model::{
    Checkpoint, Digest, Failure, Generation, GenerationId, ProjectorName, ProjectorRecord,
    Timestamp, WantedState,
};
use crate::read_store::{Activity, HostRecord, RefusedFile};
use crate::source::Source;

/// How everything stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The end of the event log.
    pub head: Checkpoint,
    /// The host that was last heard of.
    pub host: Option<HostStatus>,
    /// All projectors, by name.
    pub projectors: Vec<ProjectorStatus>,
    /// Files in the watched folder that are not in use, and why.
    pub refused: Vec<RefusedFile>,
}

/// A host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// A random name, new for every start.
    pub instance: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When its loop last came round.
    pub heartbeat_at: Timestamp,
    /// Whether it runs.
    pub running: bool,
}

/// A projector.
#[derive(Debug, Clone, Serialize)]
pub struct ProjectorStatus {
    /// Its name.
    pub name: ProjectorName,
    /// The version that readers see.
    pub version: String,
    /// The component of that version.
    pub digest: Digest,
    /// `live`, `catching up`, `starting`, `building indexes`, `failed`, `paused`,
    /// `detached` (its file is gone) or `stopped` (no host runs).
    pub state: String,
    /// What the operator wants.
    pub wanted: WantedState,
    /// How far its read models go.
    pub checkpoint: Checkpoint,
    /// How many positions they are behind the log.
    pub lag: u64,
    /// Events per second at the moment.
    pub events_per_second: f64,
    /// The watched file it comes from.
    pub file: Option<String>,
    /// Its read models.
    pub tables: Vec<String>,
    /// Why it stands still, if it failed.
    pub failure: Option<Failure>,
    /// What is wrong but being tried again.
    pub trouble: Option<String>,
    /// The generation being built beside the live one.
    pub building: Option<BuildingStatus>,
    /// The version that a rollback would bring back.
    pub can_roll_back_to: Option<String>,
    /// When its worker's loop last came round.
    pub last_cycle_at: Option<Timestamp>,
    /// When this generation went live.
    pub live_at: Option<Timestamp>,
}

/// A generation being built.
#[derive(Debug, Clone, Serialize)]
pub struct BuildingStatus {
    /// Its number.
    pub generation: GenerationId,
    /// Its version.
    pub version: String,
    /// Its component.
    pub digest: Digest,
    /// How far it has come.
    pub checkpoint: Checkpoint,
    /// How far it is behind the log.
    pub lag: u64,
    /// Events per second at the moment.
    pub events_per_second: f64,
    /// What it is at.
    pub phase: String,
    /// Why it stands still, if it failed.
    pub failure: Option<Failure>,
    /// An estimate of the time to the swap.
    pub seconds_left: Option<f64>,
}

/// How everything stands.
pub async fn status(lantern: &Lantern) -> Result<Status, OperationError> {
    let head = lantern.events.head().await?;
    let records = lantern.store.projectors().await?;
    let host = lantern.store.host().await?;
    let running = HostLock::is_held(&lantern.settings.data_dir);
    let seen = Seen {
        head: &head,
        host: host.as_ref().filter(|_| running),
    };
    let projectors = records
        .iter()
        .filter_map(|record| seen.projector(record))
        .collect();
    Ok(Status {
        projectors,
        refused: host
            .as_ref()
            .map(|host| host.refused.clone())
            .unwrap_or_default(),
        host: host.map(|host| HostStatus {
            instance: host.instance,
            pid: host.pid,
            started_at: host.started_at,
            heartbeat_at: host.heartbeat_at,
            running,
        }),
        head,
    })
}

/// What projectors are looked at against.
struct Seen<'a> {
    head: &'a Checkpoint,
    host: Option<&'a HostRecord>,
}

impl Seen<'_> {
    fn projector(&self, record: &ProjectorRecord) -> Option<ProjectorStatus> {
        let live = record.live()?;
        let activity = self.activity(live.id);
        Some(ProjectorStatus {
            name: record.name.clone(),
            version: live.description.version.to_string(),
            digest: live.digest.clone(),
            state: self.state(record, live),
            wanted: record.wanted,
            checkpoint: live.checkpoint.clone(),
            lag: live.checkpoint.lag_to(self.head),
            events_per_second: activity.map_or(0.0, |a| a.events_per_second),
            file: record.file.clone(),
            tables: live
                .description
                .tables
                .iter()
                .map(|table| table.name.clone())
                .collect(),
            failure: live.failure.clone(),
            trouble: activity.and_then(|a| a.trouble.clone()),
            building: record.building().map(|building| self.building(building)),
            can_roll_back_to: record.retired().map(|g| g.description.version.to_string()),
            last_cycle_at: activity.map(|a| a.last_cycle_at),
            live_at: live.live_at,
        })
    }

    fn state(&self, record: &ProjectorRecord, live: &Generation) -> String {
        if live.failure.is_some() {
            return "failed".into();
        }
        match record.wanted {
            WantedState::Paused | WantedState::Detached => record.wanted.to_string(),
            WantedState::Running if self.host.is_none() => "stopped".into(),
            WantedState::Running => {
                let phase = self
                    .activity(live.id)
                    .map(|activity| activity.phase.clone());
                phase.unwrap_or_else(|| "starting".into())
            }
        }
    }

    fn building(&self, building: &Generation) -> BuildingStatus {
        let activity = self.activity(building.id);
        let lag = building.checkpoint.lag_to(self.head);
        let rate = activity.map_or(0.0, |a| a.events_per_second);
        BuildingStatus {
            generation: building.id,
            version: building.description.version.to_string(),
            digest: building.digest.clone(),
            checkpoint: building.checkpoint.clone(),
            lag,
            events_per_second: rate,
            phase: match (&building.failure, activity) {
                (Some(_), _) => "failed".into(),
                (None, Some(activity)) => activity.phase.clone(),
                (None, None) => "waiting for a host".into(),
            },
            failure: building.failure.clone(),
            seconds_left: (rate > 0.0).then(|| lag as f64 / rate),
        }
    }

    fn activity(&self, generation: GenerationId) -> Option<&Activity> {
        let activities = &self.host?.activities;
        activities
            .iter()
            .find(|activity| activity.generation == generation)
    }
}

//! How everything stands.

use serde::Serialize;

use super::error::OperationError;
use super::lantern::Lantern;
use crate::config::Settings;
use crate::host::HostLock;
use crate::model::{
    Checkpoint, Digest, Failure, Generation, GenerationId, PassedGap, Position, ProjectorName,
    ProjectorRecord, Scope, Timestamp, WaitingCount, WantedState,
};
use crate::read_store::{Activity, RefusedFile, SeenHost, Usage};

/// How everything stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The end of the event log.
    pub head: Checkpoint,
    /// The host of this data directory, or else the one that was last heard of.
    pub host: Option<HostStatus>,
    /// All hosts on the same read store.
    pub hosts: Vec<HostStatus>,
    /// What keeps the log's end from moving on, if anything does.
    pub held_back: Option<String>,
    /// Positions that no event has and that were passed.
    pub gaps: GapsStatus,
    /// All projectors, by name.
    pub projectors: Vec<ProjectorStatus>,
    /// Files in the watched folder that are not in use, and why.
    pub refused: Vec<RefusedFile>,
}

/// Positions that no event has and that were passed.
#[derive(Debug, Clone, Serialize)]
pub struct GapsStatus {
    /// How many runs of them.
    pub passed: u64,
    /// The latest, latest first.
    pub latest: Vec<PassedGap>,
}

/// How many gaps are shown.
const GAPS_SHOWN: usize = 20;

/// A host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub host: String,
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
    /// Its connections to each database server.
    pub connections: Vec<Usage>,
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
    /// `sleeping` (until its next round), `inline` (within each append),
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
    /// Events that were set aside: see `lantern dead-letters`.
    pub dead_letters: u64,
    /// What is wrong but being tried again.
    pub trouble: Option<String>,
    /// When it works: `immediate`, or `batched` or `scheduled` and how.
    pub update: String,
    /// When it works next, while it sleeps.
    pub next_run_at: Option<Timestamp>,
    /// Commands on guarded tables that were ignored, as their version was not
    /// newer than the row's, since its worker began.
    pub ignored: u64,
    /// Events left out by strict order, as their entities had come to their versions
    /// before; since its worker began.
    pub repeated: u64,
    /// Events that strict order has wait for an earlier version of their entity.
    pub waiting: WaitingCount,
    /// When its worker began.
    pub ignored_since: Option<Timestamp>,
    /// The generation being built beside the live one.
    pub building: Option<BuildingStatus>,
    /// The position that it was rewound to, while it stands there.
    pub rewound_to: Option<Position>,
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
    /// What it is built from, when that is not the whole log: a tenant, a stream,
    /// or the events up to the position of a rewind.
    pub of: Option<String>,
    /// How far it is behind the log, or behind where it is to end.
    pub lag: u64,
    /// Events per second at the moment.
    pub events_per_second: f64,
    /// What it is at.
    pub phase: String,
    /// Why it stands still, if it failed.
    pub failure: Option<Failure>,
    /// Events that were set aside.
    pub dead_letters: u64,
    /// Events that strict order has wait for an earlier version of their entity.
    pub waiting: WaitingCount,
    /// What it waits for, when something is in its way but being tried again.
    pub trouble: Option<String>,
    /// An estimate of the time to the swap.
    pub seconds_left: Option<f64>,
}

/// The end of the event log, as far as it may be read.
pub async fn head(lantern: &Lantern) -> Result<Checkpoint, OperationError> {
    let seen_here = lantern.events.head().await?;
    Ok(furthest(&seen_here, &lantern.store.hosts().await?))
}

/// A host may have seen more proven than this process, which came just now.
fn furthest(seen_here: &Checkpoint, hosts: &[SeenHost]) -> Checkpoint {
    let heads = hosts.iter().map(|host| &host.record.head);
    heads.fold(seen_here.clone(), |head, other| head.furthest(other))
}

/// How everything stands.
pub async fn status(lantern: &Lantern) -> Result<Status, OperationError> {
    let seen_here = lantern.events.head().await?;
    let records = lantern.store.projectors().await?;
    let hosts = hosts(lantern).await?;
    let head = furthest(&seen_here, &hosts);
    let (passed, latest) = lantern.store.gaps(GAPS_SHOWN).await?;
    let inline = lantern.events.inline().await?;
    let seen = Seen {
        inline: &inline,
        settings: &lantern.settings,
        head: &head,
        hosts: hosts.iter().filter(|host| host.alive).collect(),
    };
    let projectors = records
        .iter()
        .filter_map(|record| seen.projector(record))
        .collect();
    let here = hosts
        .iter()
        .find(|host| HostLock::name(&lantern.settings.data_dir).as_ref() == Some(&host.record.host))
        .or(hosts.first());
    Ok(Status {
        projectors,
        refused: here
            .map(|host| host.record.refused.clone())
            .unwrap_or_default(),
        held_back: match seen.hosts.is_empty() {
            false => seen.held_back(),
            // What holds this process back is old news if a host has gone past it.
            true if !seen_here.reaches(&head) => None,
            true => lantern.events.held_back(),
        },
        gaps: GapsStatus { passed, latest },
        host: here.map(HostStatus::of),
        hosts: hosts.iter().map(HostStatus::of).collect(),
        head,
    })
}

/// All hosts. Whether this directory's own runs, its lock says exactly.
async fn hosts(lantern: &Lantern) -> Result<Vec<SeenHost>, OperationError> {
    let dir = &lantern.settings.data_dir;
    let here = HostLock::name(dir);
    let mut hosts = lantern.store.hosts().await?;
    for host in &mut hosts {
        if !lantern.store.is_shared() || here.as_ref() == Some(&host.record.host) {
            host.alive = HostLock::is_held(dir);
        }
    }
    Ok(hosts)
}

impl HostStatus {
    fn of(seen: &SeenHost) -> Self {
        let record = &seen.record;
        Self {
            host: record.host.clone(),
            instance: record.instance.clone(),
            pid: record.pid,
            started_at: record.started_at,
            heartbeat_at: record.heartbeat_at,
            running: seen.alive,
            connections: record.connections.clone(),
        }
    }
}

/// What projectors are looked at against.
struct Seen<'a> {
    /// The projectors that appends run.
    inline: &'a [String],
    settings: &'a Settings,
    head: &'a Checkpoint,
    /// Those that live.
    hosts: Vec<&'a SeenHost>,
}

impl Seen<'_> {
    fn held_back(&self) -> Option<String> {
        let mut hosts = self.hosts.iter();
        hosts.find_map(|host| host.record.held_back.clone())
    }

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
            dead_letters: live.dead_letters,
            trouble: activity.and_then(|a| a.trouble.clone()),
            // What its host was told; else what this process would do.
            update: match activity.filter(|a| !a.update.is_empty()) {
                Some(activity) => activity.update.clone(),
                None => self
                    .settings
                    .projector(record.name.as_str())
                    .update
                    .update()
                    .to_string(),
            },
            next_run_at: activity.and_then(|a| a.next_run_at),
            ignored: activity.map_or(0, |a| a.ignored),
            repeated: activity.map_or(0, |a| a.repeated),
            waiting: live.waiting,
            ignored_since: activity.map(|a| a.since),
            building: record
                .building()
                .map(|building| self.building(building, live)),
            rewound_to: live
                .stands_rewound_at()
                .filter(|_| record.wanted != WantedState::Running),
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
            WantedState::Running if self.inline.iter().any(|name| name == record.name.as_str()) => {
                "inline".into()
            }
            WantedState::Running if self.hosts.is_empty() => "stopped".into(),
            WantedState::Running => {
                let phase = self
                    .activity(live.id)
                    .map(|activity| activity.phase.clone());
                phase.unwrap_or_else(|| "starting".into())
            }
        }
    }

    fn building(&self, building: &Generation, live: &Generation) -> BuildingStatus {
        let activity = self.activity(building.id);
        let target = match &building.scope {
            Scope::All => self.head.clone(),
            Scope::UpTo(position) => Checkpoint::at(*position),
            Scope::Part(_) => live.checkpoint.clone(),
        };
        let lag = building.checkpoint.lag_to(&target);
        let rate = activity.map_or(0.0, |a| a.events_per_second);
        BuildingStatus {
            generation: building.id,
            version: building.description.version.to_string(),
            digest: building.digest.clone(),
            of: match &building.scope {
                Scope::All => None,
                Scope::UpTo(position) => Some(format!("rewind to {position}")),
                Scope::Part(part) => Some(part.to_string()),
            },
            checkpoint: building.checkpoint.clone(),
            lag,
            events_per_second: rate,
            phase: match (&building.failure, activity) {
                (Some(_), _) => "failed".into(),
                (None, Some(activity)) => activity.phase.clone(),
                (None, None) if building.is_part_ready() => "ready".into(),
                (None, None) => "waiting for a host".into(),
            },
            failure: building.failure.clone(),
            dead_letters: building.dead_letters,
            waiting: building.waiting,
            trouble: activity.and_then(|a| a.trouble.clone()),
            seconds_left: (rate > 0.0).then(|| lag as f64 / rate),
        }
    }

    fn activity(&self, generation: GenerationId) -> Option<&Activity> {
        let mut activities = self.hosts.iter().flat_map(|host| &host.record.activities);
        activities.find(|activity| activity.generation == generation)
    }
}

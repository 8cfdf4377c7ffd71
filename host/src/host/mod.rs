//! Compares what is wanted (the catalog's records) with what runs (jobs), and
//! makes the one follow the other.
//!
//! One loop does everything that starts, stops or replaces, so that no two
//! decisions race: changes in the watched folder, changed records (by operators
//! in this process or another), jobs that ended. The jobs themselves run beside
//! it. Nothing is told to the host in any other way than by the records: what an
//! operator wants is written down first, and so survives a kill.

mod folder;
mod inline;
mod job;
mod lock;
mod outcome;
mod patience;
mod pulse;
mod wanted;

pub use folder::Folder;
pub use lock::{HostLock, LockError};
pub use outcome::RunReport;
pub use pulse::Connections;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::catalog::{Catalog, Refusal};
use crate::config::{Settings, Update};
use crate::model::{
    Failure, FailureClass, GenerationId, GenerationState, ProjectorName, ProjectorRecord, Timestamp,
};
use crate::read_store::{Owner, ReadStore, StoreError};
use crate::source::{EventStore, SourceError};
use crate::telemetry::{happened, in_one_line};
use crate::worker::{Assignment, Goal, Phase, without_event};
use inline::Inline;
use job::{Job, JobEnd};
use patience::patiently;
use pulse::{Pulse, Vitals};
use wanted::{Task, Wanted, wanted};

/// How often the records are looked at for changes made by other processes, and
/// the jobs for having ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long a host stands by before it tries again to take what another holds.
const STAND_BY: Duration = Duration::from_millis(500);

/// What a host works with.
pub struct Parts {
    /// Where events come from.
    pub events: Arc<dyn EventStore>,
    /// Where read models and records are.
    pub store: Arc<dyn ReadStore>,
    /// The components.
    pub catalog: Catalog,
    /// How projectors are worked.
    pub settings: Settings,
    /// The host's name: see [`HostLock::host`].
    pub host: String,
    /// Tells of connections to databases.
    pub connections: Connections,
}

/// A host. It runs every projector that its records say should run.
pub struct Host {
    parts: Parts,
    folder: Folder,
    only: Option<ProjectorName>,
    /// Whether it ends when all is caught up: then nobody sleeps.
    hurries: bool,
    vitals: Vitals,
    jobs: HashMap<GenerationId, Job>,
    /// Generations that other hosts hold, and when to try again.
    held: HashMap<GenerationId, Instant>,
    /// Who held a generation when this host last tried; said once.
    standing_by: HashMap<GenerationId, String>,
    records: Vec<ProjectorRecord>,
    /// The revision of `records`; `None` when they must be read anew.
    revision: Option<u64>,
    inline: Inline,
}

/// When a host is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is asked to stop.
    Stopped,
    /// When every projector has read to where the log ended at the start, and
    /// every rebuild is done.
    CaughtUp,
}

/// Why a host cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The read store failed in a way that does not pass.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source failed in a way that does not pass.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The host's own copies of components cannot be used.
    #[error(transparent)]
    Catalog(#[from] Refusal),
}

impl Host {
    /// Sets up a host for a folder and all projectors. Nothing runs yet.
    pub fn new(parts: Parts, folder: Folder) -> Self {
        let vitals = Vitals {
            owner: Owner {
                host: parts.host.clone(),
                instance: uuid::Uuid::from_u128(random()).to_string(),
            },
            started_at: Timestamp::now(),
            source: parts.events.clone(),
            store: parts.store.clone(),
            connections: parts.connections.clone(),
        };
        Self {
            parts,
            folder,
            only: None,
            hurries: false,
            vitals,
            jobs: HashMap::new(),
            held: HashMap::new(),
            standing_by: HashMap::new(),
            records: Vec::new(),
            revision: None,
            inline: Inline::default(),
        }
    }

    /// Sets up a host for one projector that is known already.
    pub fn for_one(parts: Parts, name: ProjectorName) -> Self {
        Self {
            only: Some(name),
            ..Self::new(parts, Folder::unwatched())
        }
    }

    /// Runs until it is done or `stop` becomes true, then stops every job after
    /// the batch in hand. Call it with the [`HostLock`] held.
    ///
    /// # Errors
    ///
    /// When a store fails in a way that does not pass by itself. A store that is
    /// locked or full is waited for.
    pub async fn run(
        mut self,
        until: Until,
        mut stop: watch::Receiver<bool>,
    ) -> Result<RunReport, HostError> {
        happened::host_started(&self.vitals.owner.instance);
        self.hurries = until == Until::CaughtUp;
        self.tidy_up().await?;
        let target = patiently("the event log", || self.parts.events.head()).await?;
        let pulse = Pulse::start(self.vitals.clone());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.folder.note_gone(&self.parts.catalog).await;
        // What is known already starts before new files are judged, each of which
        // may take its time.
        self.follow_records().await?;
        self.tell(&pulse);
        let changes = self.folder.look();
        self.folder.apply(changes, &self.parts.catalog).await;
        loop {
            tokio::select! {
                changes = self.folder.changes() => self.folder.apply(changes, &self.parts.catalog).await,
                _ = look.tick() => {}
                () = becomes_true(&mut stop) => break,
            }
            self.folder.look_at_young_again();
            self.note_ended_jobs().await?;
            self.note_handed_over(false).await;
            self.watch_list().await?;
            self.stop_for_hand_over();
            self.note_taken_over();
            let followed = self.follow_records().await?;
            self.tell(&pulse);
            if followed == Followed::Anew {
                pulse.beat_now();
            }
            if until == Until::CaughtUp && self.is_caught_up(&target) {
                break;
            }
        }
        self.stop_all().await?;
        self.tell(&pulse);
        pulse.stop(&self.vitals).await;
        happened::host_stopped(&self.vitals.owner.instance);
        Ok(self.report())
    }

    /// Clears away what a killed host may have left.
    async fn tidy_up(&self) -> Result<(), HostError> {
        patiently("the read store", || self.parts.store.sweep()).await?;
        self.parts.catalog.sweep().await?;
        Ok(())
    }

    /// Starts what the records want and does not run; stops what runs and is not
    /// wanted, or not with this component.
    async fn follow_records(&mut self) -> Result<Followed, HostError> {
        let revision = match self.parts.store.revision().await {
            Ok(revision) => revision,
            Err(error) if error.is_transient() => return Ok(Followed::Nothing),
            Err(error) => return Err(error.into()),
        };
        let now = Instant::now();
        if self.revision == Some(revision) && self.held.values().all(|try_at| now < *try_at) {
            return Ok(Followed::Nothing);
        }
        self.records = match self.parts.store.projectors().await {
            Ok(records) => records,
            Err(error) if error.is_transient() => return Ok(Followed::Nothing),
            Err(error) => return Err(error.into()),
        };
        if !self.look_at_inline().await? {
            return Ok(Followed::Nothing);
        }
        let wanted = self.wanted();
        for (id, job) in &self.jobs {
            if wanted.get(id).is_none_or(|it| !job.is_up_to_date(it)) {
                job.stop();
            }
        }
        // A job that has been stopped must end before another takes its place: the
        // records are then looked at again.
        let mut complete = true;
        self.held
            .retain(|id, try_at| wanted.contains_key(id) && now < *try_at);
        for (id, wanted) in wanted {
            match self.jobs.get(&id) {
                None if self.held.contains_key(&id) => {}
                Some(job) => complete &= job.is_up_to_date(&wanted),
                None => self.start(&wanted).await?,
            }
        }
        if complete {
            self.revision = Some(revision);
            self.parts.catalog.sweep().await?;
        }
        Ok(Followed::Anew)
    }

    /// The generations that should be worked on.
    fn wanted(&self) -> HashMap<GenerationId, Wanted> {
        let mut wanted = wanted(&self.records, self.only.as_ref());
        // Those whom appends run; but a part takes over from whoever it is.
        wanted.retain(|_, it| {
            it.generation.state != GenerationState::Live
                || it.part.is_some()
                || !self.inline.is_on_list(&it.name)
        });
        wanted
    }

    async fn start(&mut self, wanted: &Wanted) -> Result<(), HostError> {
        let (name, generation) = (&wanted.name, &wanted.generation);
        let projector = match self.parts.catalog.component(&generation.digest).await {
            Ok(projector) => projector,
            Err(refusal) => {
                // The copy is gone or no longer loads (a newer engine, say): that is
                // this projector's trouble, not the others'.
                let cause = in_one_line(&refusal);
                let mut failure = without_event(FailureClass::Host, cause, &generation.digest);
                failure.next_step = format!(
                    "put the component back into the watched folder, then `lantern resume {name}`"
                );
                let version = &generation.description.version;
                return self
                    .record_failure(name, version, generation.id, &failure)
                    .await;
            }
        };
        let task = wanted.task();
        if !self.standing_by.contains_key(&generation.id) {
            happened::projector_started(name, generation.id, &generation.checkpoint);
        }
        let settings = self.parts.settings.projector(name.as_str());
        let failing = match task {
            Task::Build => settings.failure.while_rebuilding(),
            Task::KeepLive | Task::TakeOver => settings.failure.while_live(),
        };
        let assignment = Assignment {
            projector,
            generation: generation.id,
            goal: Goal::Follow,
            source: self.parts.events.clone(),
            store: self.parts.store.clone(),
            pacing: settings.pacing.clone(),
            failing,
            most_waiting: settings.order.most_waiting,
            update: match self.hurries {
                true => Update::Immediate,
                false => settings.update.update(),
            },
            owner: self.vitals.owner.clone(),
        };
        let part = wanted.part.map(|part| Assignment {
            generation: part,
            failing: settings.failure.while_rebuilding(),
            ..assignment.clone()
        });
        self.jobs.insert(
            generation.id,
            Job::start(task, assignment, part, generation.asked),
        );
        Ok(())
    }

    async fn note_ended_jobs(&mut self) -> Result<(), HostError> {
        let ended: Vec<GenerationId> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.is_finished())
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            if let Some(job) = self.jobs.remove(&id) {
                self.revision = None;
                self.note_end(id, job).await?;
            }
        }
        Ok(())
    }

    async fn note_end(&mut self, id: GenerationId, job: Job) -> Result<(), HostError> {
        let (name, version) = (job.name().clone(), job.version().clone());
        let part = job.part();
        let end = job.ended().await;
        let is_handed_over = self.inline.is_handed_over(id);
        if !matches!(end, JobEnd::Held { .. }) {
            self.standing_by.remove(&id);
        }
        match end {
            JobEnd::Stopped(checkpoint) => {
                if !is_handed_over {
                    happened::projector_stopped(&name, id, &checkpoint);
                }
                self.release(id).await;
                if is_handed_over {
                    self.hand_over(&name, id);
                }
            }
            JobEnd::Swapped => happened::swapped(&name, id, &version),
            JobEnd::Ready => self.release(id).await,
            JobEnd::TookOver => {}
            // Another host, an operator or a swap has taken over; the records, which
            // are read next, say what to do.
            JobEnd::Gone(how) => happened::fenced(&name, id, &how),
            JobEnd::Held { by } => self.stand_by(&name, id, by),
            JobEnd::Failed(failure) => {
                let blamed = part.unwrap_or(id);
                self.record_failure(&name, &version, blamed, &failure)
                    .await?;
                self.release(id).await;
            }
        }
        Ok(())
    }

    fn stand_by(&mut self, name: &ProjectorName, id: GenerationId, by: String) {
        let is_known = self.standing_by.get(&id) == Some(&by);
        if !is_known {
            happened::standing_by(name, id, &by);
            self.standing_by.insert(id, by);
        }
        self.held.insert(id, Instant::now() + STAND_BY);
    }

    /// Lets another host have a generation at once. If it cannot be said now, the
    /// lease runs out by itself.
    async fn release(&self, id: GenerationId) {
        let store = &self.parts.store;
        if let Err(error) = store.release(id, &self.vitals.owner).await {
            tracing::debug!(%error, generation = %id, "the lease was not given back");
        }
    }

    async fn record_failure(
        &mut self,
        name: &ProjectorName,
        version: &semver::Version,
        id: GenerationId,
        failure: &Failure,
    ) -> Result<(), HostError> {
        happened::projector_stopped_by_failure(name, version, id, failure);
        let store = &self.parts.store;
        match patiently("the read store", || store.set_failure(id, Some(failure))).await {
            Ok(()) | Err(StoreError::NoGeneration(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn stop_all(&mut self) -> Result<(), HostError> {
        self.jobs.values().for_each(Job::stop);
        for (id, job) in std::mem::take(&mut self.jobs) {
            self.note_end(id, job).await?;
        }
        self.note_handed_over(true).await;
        Ok(())
    }

    /// Says that work was taken over which another host had, once it is at it.
    fn note_taken_over(&mut self) {
        let jobs = &self.jobs;
        self.standing_by.retain(|id, former| {
            let is_at_work = |job: &&Job| job.status().phase != Phase::Starting;
            let Some(job) = jobs.get(id).filter(is_at_work) else {
                return true;
            };
            happened::taken_over(job.name(), *id, former);
            false
        });
    }

    fn tell(&self, pulse: &Pulse) {
        let boards = self.jobs.iter().map(|(id, job)| (*id, job.board()));
        pulse.tell(boards.collect(), self.folder.refused());
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("owner", &self.vitals.owner)
            .finish_non_exhaustive()
    }
}

/// Whether a look at the records led to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Followed {
    Nothing,
    Anew,
}

/// Waits for a signal. If nobody can give it any more, that is one too.
async fn becomes_true(signal: &mut watch::Receiver<bool>) {
    // The answer holds a lock on the value; it must not live on into a branch.
    drop(signal.wait_for(|given| *given).await);
}

/// 128 bits to tell one start of a host from another. The standard library
/// seeds each of its hashers anew.
fn random() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    let half = || u128::from(RandomState::new().hash_one(Timestamp::now()));
    half() << 64 | half()
}

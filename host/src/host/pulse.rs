//! Says that the host lives, whatever its loop is busy with.
//!
//! The loop may be held up, for instance by a new component that takes its time
//! to load; the leases of this host must not run out meanwhile. So the heart
//! beats in a task of its own, and reports what the loop last told it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::model::{GenerationId, Timestamp};
use crate::read_store::{Activity, HostRecord, Owner, ReadStore, RefusedFile, Usage};
use crate::source::Source;
use crate::telemetry::happened;
use crate::worker::StatusBoard;

/// How often the host says that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);

/// Tells how many connections of each database are in use.
pub type Connections = Arc<dyn Fn() -> Vec<Usage> + Send + Sync>;

/// The heart: a task that beats until the value is dropped.
pub(super) struct Pulse {
    told: Arc<Mutex<Told>>,
    now: Arc<Notify>,
    task: JoinHandle<()>,
}

/// What the loop last told.
#[derive(Default)]
struct Told {
    boards: Vec<(GenerationId, StatusBoard)>,
    refused: Vec<RefusedFile>,
}

/// What a heartbeat is made of.
#[derive(Clone)]
pub(super) struct Vitals {
    pub(super) owner: Owner,
    pub(super) started_at: Timestamp,
    pub(super) source: Arc<dyn Source>,
    pub(super) store: Arc<dyn ReadStore>,
    pub(super) connections: Connections,
}

impl Pulse {
    pub(super) fn start(vitals: Vitals) -> Self {
        let told = Arc::new(Mutex::new(Told::default()));
        let now = Arc::new(Notify::new());
        let (heard, asked) = (told.clone(), now.clone());
        let task = tokio::spawn(async move {
            let mut fails = false;
            loop {
                let failed = !vitals.beat(&heard).await;
                if fails && !failed {
                    happened::back("the read store");
                }
                fails = failed;
                // A beat too many does no harm, one too few might.
                let _ = tokio::time::timeout(HEARTBEAT, asked.notified()).await;
            }
        });
        Self { told, now, task }
    }

    /// Takes note of what is running and which files are refused.
    pub(super) fn tell(&self, boards: Vec<(GenerationId, StatusBoard)>, refused: Vec<RefusedFile>) {
        *lock(&self.told) = Told { boards, refused };
    }

    /// Beats at once.
    pub(super) fn beat_now(&self) {
        self.now.notify_one();
    }

    /// Beats for the last time.
    pub(super) async fn stop(self, vitals: &Vitals) {
        self.task.abort();
        vitals.beat(&self.told).await;
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vitals {
    /// Says whether the store has heard it.
    async fn beat(&self, told: &Mutex<Told>) -> bool {
        let record = self.record(&lock(told));
        let heard = self.store.heartbeat(&record).await;
        if let Err(error) = &heard {
            happened::retrying("the heartbeat", error, HEARTBEAT);
        }
        heard.is_ok()
    }

    fn record(&self, told: &Told) -> HostRecord {
        let activities = told.boards.iter().map(|(id, board)| {
            let status = board.read();
            Activity {
                generation: *id,
                phase: status.phase.as_str().to_owned(),
                events_per_second: status.events_per_second,
                last_cycle_at: status.last_cycle_at,
                trouble: status.trouble,
                update: status.update.to_string(),
                next_run_at: status.next_run_at,
                ignored: status.ignored,
                repeated: status.repeated,
                since: status.since,
            }
        });
        HostRecord {
            host: self.owner.host.clone(),
            instance: self.owner.instance.clone(),
            pid: std::process::id(),
            started_at: self.started_at,
            heartbeat_at: Timestamp::now(),
            activities: activities.collect(),
            refused: told.refused.clone(),
            head: self.source.news().borrow().clone(),
            held_back: self.source.held_back(),
            connections: (self.connections)(),
        }
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What a worker is doing, for those who watch.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Update;
use crate::model::{Checkpoint, Timestamp};

/// What a worker is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    /// What it is at.
    pub phase: Phase,
    /// How far its committed rows go.
    pub checkpoint: Checkpoint,
    /// Events per second, averaged over some seconds.
    pub events_per_second: f64,
    /// Events read since it began.
    pub events: u64,
    /// When its loop last came round, with or without an event: the sign that
    /// it lives, whatever its lag.
    pub last_cycle_at: Timestamp,
    /// What is wrong but being tried again.
    pub trouble: Option<String>,
    /// When it works, once it follows the log.
    pub update: Update,
    /// When it works next, while it sleeps.
    pub next_run_at: Option<Timestamp>,
    /// Commands ignored since `since`, as their rows were as new or newer.
    pub ignored: u64,
    /// Events left out since then by strict order, as their entities had come to
    /// their versions before.
    pub repeated: u64,
    /// When it began to work.
    pub since: Timestamp,
}

/// What a worker is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not yet at its first batch.
    Starting,
    /// Behind the head of the log.
    CatchingUp,
    /// At the head of the log.
    Live,
    /// Between two rounds: it works by the clock, or in batches.
    Sleeping,
    /// Making the indexes of a generation after its first fill.
    BuildingIndexes,
    /// Taking over the rows of a part that was rebuilt.
    TakingOver,
}

impl Phase {
    /// The phase in a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::CatchingUp => "catching up",
            Phase::Live => "live",
            Phase::Sleeping => "sleeping",
            Phase::BuildingIndexes => "building indexes",
            Phase::TakingOver => "taking over",
        }
    }
}

/// Where a worker writes what it is doing. Clones write on the same board.
#[derive(Debug, Clone)]
pub struct StatusBoard(Arc<Mutex<Board>>);

#[derive(Debug)]
struct Board {
    status: WorkerStatus,
    counted_since: Instant,
    counted: u64,
}

/// How long events are counted before the rate is worked out anew.
const RATE_WINDOW: Duration = Duration::from_secs(2);

impl StatusBoard {
    /// A board on which nothing has been written but when the worker works.
    pub fn new(update: Update) -> Self {
        Self(Arc::new(Mutex::new(Board {
            status: WorkerStatus {
                phase: Phase::Starting,
                checkpoint: Checkpoint::start(),
                events_per_second: 0.0,
                events: 0,
                last_cycle_at: Timestamp::now(),
                trouble: None,
                update,
                next_run_at: None,
                ignored: 0,
                repeated: 0,
                since: Timestamp::now(),
            },
            counted_since: Instant::now(),
            counted: 0,
        })))
    }

    /// What is written.
    pub fn read(&self) -> WorkerStatus {
        self.update(|board| {
            board.work_out_rate();
            board.status.clone()
        })
    }

    pub(super) fn cycle(&self, phase: Phase, events: usize) {
        self.update(|board| {
            board.status.phase = phase;
            board.status.last_cycle_at = Timestamp::now();
            board.status.next_run_at = None;
            board.counted += events as u64;
            board.status.events += events as u64;
            board.work_out_rate();
        });
    }

    pub(super) fn committed(&self, checkpoint: &Checkpoint) {
        self.update(|board| board.status.checkpoint = checkpoint.clone());
    }

    /// Counts commands that were ignored, and events that were left out.
    pub(super) fn ignored(&self, commands: u64, events: u64) {
        self.update(|board| {
            board.status.ignored += commands;
            board.status.repeated += events;
        });
    }

    /// Writes down that the worker sleeps, and until when.
    pub(super) fn sleeping(&self, until: Option<Timestamp>) {
        self.cycle(Phase::Sleeping, 0);
        self.update(|board| board.status.next_run_at = until);
    }

    /// Writes down, or wipes off, what is wrong but being tried again.
    pub fn trouble(&self, trouble: Option<String>) {
        self.update(|board| board.status.trouble = trouble);
    }

    /// Writes down that the worker has gone over to something else.
    pub fn phase(&self, phase: Phase) {
        self.cycle(phase, 0);
    }

    fn update<T>(&self, change: impl FnOnce(&mut Board) -> T) -> T {
        // A panic while the board was held leaves nothing half-written that matters.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Board {
    fn work_out_rate(&mut self) {
        let elapsed = self.counted_since.elapsed();
        if elapsed >= RATE_WINDOW {
            self.status.events_per_second = self.counted as f64 / elapsed.as_secs_f64();
            self.counted = 0;
            self.counted_since = Instant::now();
        }
    }
}

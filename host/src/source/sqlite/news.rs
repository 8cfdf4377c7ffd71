//! Who appended, here or elsewhere.
//!
//! One thread per store looks for everyone who listens:
//!
//! - An append in this process announces itself and needs no looking.
//! - The truth about other processes is a poll: SQLite's `data_version` says in
//!   a few microseconds whether anyone else committed.
//! - A watch on the write-ahead log makes the poll early. It sees the log being
//!   written, which is before the commit is visible, so the thread looks several
//!   times after a hint, at growing distances.
//!
//! The watch may fail or miss something; then news come with the poll. The
//! thread ends with the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use rusqlite::Connection;
use tokio::sync::watch;

use super::connection::Database;
use crate::model::{Checkpoint, Position};
use crate::source::SourceError;

/// The longest that an append elsewhere goes unnoticed when hints fail. At a few
/// microseconds a look, this costs next to nothing.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// The shortest time between two looks, however fast the hints come.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// Looks for appends as long as it lives.
pub(super) struct News {
    announcer: Announcer,
    is_stopping: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// Tells everyone who listens about a new head.
#[derive(Clone)]
pub(super) struct Announcer(Arc<watch::Sender<Checkpoint>>);

impl Announcer {
    /// Announces a position, unless a later one has been announced.
    pub(super) fn announce(&self, position: Option<Position>) {
        let Some(position) = position else { return };
        self.0.send_if_modified(|head| {
            let is_news = position > head.position();
            if is_news {
                *head = Checkpoint::at(position);
            }
            is_news
        });
    }
}

impl News {
    /// Starts to look. The present head is known to subscribers at once.
    pub(super) fn start(database: &Database) -> Result<Self, SourceError> {
        let conn = database.reader()?;
        let head = read_head(&conn)?;
        let announcer = Announcer(Arc::new(watch::Sender::new(Checkpoint::at(head))));
        let is_stopping = Arc::new(AtomicBool::new(false));
        // A single place is enough: a hint says only that there is something.
        let (wake, hints) = sync_channel(1);
        let lookout = Lookout {
            conn,
            announcer: announcer.clone(),
            seen_version: None,
            is_failing: false,
        };
        let watcher = watch_log(&database.path, wake.clone());
        let stop = Arc::clone(&is_stopping);
        let thread = thread::Builder::new()
            .name("lantern-news".into())
            .spawn(move || {
                lookout.run(&hints, &stop);
                drop(watcher);
            })
            .map_err(|error| SourceError::Unavailable(error.into()))?;
        Ok(Self {
            announcer,
            is_stopping,
            wake,
            thread: Some(thread),
        })
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Checkpoint> {
        self.announcer.0.subscribe()
    }

    pub(super) fn announcer(&self) -> Announcer {
        self.announcer.clone()
    }
}

impl Drop for News {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        // When the place is taken the thread is about to wake up anyway.
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            // It wakes within a millisecond or so. Waiting for it means that a
            // dropped store has closed its file. A panic was printed by then.
            let _ = thread.join();
        }
    }
}

/// The position of the last event.
pub(super) fn read_head(conn: &Connection) -> rusqlite::Result<Position> {
    let last: Option<i64> = conn
        .prepare_cached("SELECT max(position) FROM lantern_events")?
        .query_row([], |row| row.get(0))?;
    Ok(Position(last.unwrap_or_default() as u64))
}

/// The thread's side: a connection of its own, and what it saw last.
struct Lookout {
    conn: Connection,
    announcer: Announcer,
    seen_version: Option<i64>,
    is_failing: bool,
}

impl Lookout {
    fn run(mut self, hints: &Receiver<()>, is_stopping: &AtomicBool) {
        let mut pause = POLL_EVERY;
        loop {
            match hints.recv_timeout(pause) {
                Ok(()) => pause = LEAST_PAUSE,
                Err(RecvTimeoutError::Timeout) => pause = (pause * 2).min(POLL_EVERY),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if is_stopping.load(Ordering::Acquire) {
                return;
            }
            self.look();
            if pause == LEAST_PAUSE {
                thread::sleep(LEAST_PAUSE);
            }
        }
    }

    fn look(&mut self) {
        match self.announce_if_changed() {
            Ok(()) => self.is_failing = false,
            // Said once, not at every look until it passes.
            Err(error) if !self.is_failing => {
                self.is_failing = true;
                tracing::warn!(%error, "cannot look for new events; trying on");
            }
            Err(_) => {}
        }
    }

    fn announce_if_changed(&mut self) -> rusqlite::Result<()> {
        let version: i64 = self
            .conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.seen_version != Some(version) {
            self.announcer.announce(Some(read_head(&self.conn)?));
            self.seen_version = Some(version);
        }
        Ok(())
    }
}

/// Sends a hint whenever the write-ahead log is written. `None` when that cannot
/// be watched.
fn watch_log(database: &Path, wake: SyncSender<()>) -> Option<RecommendedWatcher> {
    // The file itself and not its folder, where a read store may be writing all
    // the time. It is there: the lookout's connection has read through it, and
    // SQLite keeps it while any connection is open.
    let log = log_of(database);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Opening and closing are not writing. An error may hide a write.
        if !matches!(
            event,
            Ok(notify::Event {
                kind: EventKind::Access(_),
                ..
            })
        ) {
            let _ = wake.try_send(());
        }
    })
    .inspect_err(warn_of_delay)
    .ok()?;
    watcher
        .watch(&log, RecursiveMode::NonRecursive)
        .inspect_err(warn_of_delay)
        .ok()?;
    Some(watcher)
}

fn warn_of_delay(error: &notify::Error) {
    tracing::warn!(
        %error,
        "cannot watch the event log; appends by other processes are noticed within {POLL_EVERY:?}"
    );
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

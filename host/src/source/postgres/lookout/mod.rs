//! How far it is safe to read while writers are in flight.
//!
//! A sequence hands out positions before the transactions that use them commit,
//! so position 7 may become visible after position 8. Who reads up to 8 in
//! between never sees 7. The lookout finds a **mark**: no event can appear at or
//! below it any more.
//!
//! # Why it is right
//!
//! What PostgreSQL does:
//!
//! 1. `nextval` takes a RowExclusiveLock on the sequence before it takes the
//!    number, and keeps it until the top-level transaction ends, whatever its
//!    savepoints do. An insert takes one on the table before any default of a
//!    column is computed.
//! 2. A commit is visible to every snapshot taken after its locks are released.
//! 3. `pg_locks` shows every lock that is held during the whole of its reading.
//!    When a transaction is prepared, its lock passes to it without a moment in
//!    which nobody holds it.
//! 4. The numbers ascend, each is handed out once, and none is kept in a session
//!    for a later transaction (`CACHE 1`, which is checked).
//!
//! Let `b` be a position seen in some snapshot, and let the holders of those
//! locks be read *after* that snapshot: together a [fence](fences). Every
//! position up to `b` was taken before `b` was (4), so before the holders were
//! read. Its transaction is therefore among the holders, or had released its
//! locks by then (1, 3), and then it was rolled back or is visible to all later
//! snapshots (2). Once none of these holders is left, the same is true of all:
//! whatever is still missing up to `b` is gone for good. Transactions that began
//! later do not matter, nor do old ones that never wrote to the log.
//!
//! The order matters. Holders read *before* the snapshot prove nothing: a
//! transaction may begin in between, take 7, and be overtaken by 8.
//!
//! # What it does
//!
//! A [scan] reads, in one snapshot, the positions above the mark and where
//! some are missing. The mark moves over what has no gap without further ado. At
//! a gap it stops, and a fence is raised. When the fence has fallen, a scan *after*
//! the reading that showed it tells which gaps are left; each is written into the
//! [`GapBook`], and the mark goes on. All of one look runs on one connection, and
//! looks at no standby, so that the locks and the rows are of one server.
//!
//! At the start there is no mark, and the history may be full of gaps that were
//! passed long ago, or that deletions left. One fence at the last position settles
//! all of it at once; nothing of it is written down. While transactions of
//! before the start hold that fence, positions up to the first gap are served.
//!
//! # Nets below
//!
//! Not all writers keep to the rules: numbers may be taken outside the
//! transaction that uses them, rows restored by hand, the server replaced by a
//! replica that was behind. A [grace](Gaps::Prove) is for the first; and the
//! gaps that were passed last are [looked at again](late) from time to time. An
//! event that turns up there stops all reading, because readers have gone past it.

mod fences;
mod fitness;
mod holders;
mod late;
mod listen;
mod look;
mod pace;
mod round;
mod scan;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::look::Looking;
use self::round::Watched;
use crate::model::{Checkpoint, Position};
use crate::postgres::{Database, Meaning, meaning};
use crate::source::{GapBook, SourceError};

/// What is done about missing positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::postgres) enum Gaps {
    /// One holds the mark until nobody can fill it any more.
    Prove {
        /// It must have been missing for this long besides. For writers that take
        /// a number outside the transaction that uses it; zero for all others.
        grace: Duration,
    },
    /// Nothing: the mark is the last position, and what commits late is missed.
    Ignore,
}

/// The log to look at.
#[derive(Debug, Clone)]
pub(in crate::source::postgres) struct LogTable {
    /// SQL after FROM. It brings every event, whatever readers leave out: one
    /// that is not there counts as missing.
    pub(in crate::source::postgres) from: String,
    /// SQL expression of the position, an integer, best an indexed column.
    pub(in crate::source::postgres) position: String,
    /// Whether an index finds positions. Without one, every question reads the
    /// whole table, so that many small ones must be asked as one.
    pub(in crate::source::postgres) has_index: bool,
    /// The table and its sequence, each a text for `::regclass` with its schema.
    /// Whoever holds a writing lock on one of them may still commit a position.
    pub(in crate::source::postgres) relations: Vec<String>,
    /// What is done about missing positions.
    pub(in crate::source::postgres) gaps: Gaps,
    /// A channel whose notifications say that something was appended.
    pub(in crate::source::postgres) channel: Option<String>,
}

/// Knows how far a log may be read. The first [`subscribe`](Lookout::subscribe)
/// makes it look by itself, until it is dropped.
pub(in crate::source::postgres) struct Lookout {
    looking: Arc<Looking>,
    runtime: Handle,
    tasks: OnceLock<Vec<AbortHandle>>,
}

impl Lookout {
    /// Makes sure that the log can be looked at, and looks for the first time. It
    /// waits up to a second for transactions that are writing at the moment.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unfit`] when locks say nothing about the log: the server is
    /// a standby, the sequence hands out numbers in blocks, and the like.
    pub(in crate::source::postgres) async fn start(
        database: Database,
        log: LogTable,
        book: Arc<dyn GapBook>,
    ) -> Result<Self, SourceError> {
        fitness::check(&database, &log).await?;
        let looking = Arc::new(Looking::new(Watched {
            database,
            log,
            book,
        }));
        looking.start().await?;
        Ok(Self {
            looking,
            runtime: Handle::current(),
            tasks: OnceLock::new(),
        })
    }

    /// Looks now, and returns the checkpoint at the mark.
    ///
    /// # Errors
    ///
    /// Those of [`look`](Lookout::look).
    pub(in crate::source::postgres) async fn head(&self) -> Result<Checkpoint, SourceError> {
        Ok(Checkpoint::at(self.look().await?))
    }

    /// Announces new marks, and begins to look for them by itself.
    pub(in crate::source::postgres) fn subscribe(&self) -> watch::Receiver<Checkpoint> {
        self.tasks.get_or_init(|| {
            let looking = Arc::clone(&self.looking);
            let mut tasks = vec![self.runtime.spawn(pace::keep_looking(looking))];
            if let Some(channel) = self.looking.watched().log.channel.clone() {
                let looking = Arc::clone(&self.looking);
                tasks.push(self.runtime.spawn(listen::keep_listening(looking, channel)));
            }
            tasks.iter().map(|task| task.abort_handle()).collect()
        });
        self.looking.subscribe()
    }

    /// The mark as of the last look, without asking the database.
    pub(in crate::source::postgres) fn mark(&self) -> Position {
        self.looking.mark()
    }

    /// Looks now, at everything that is committed, and returns the mark. It does
    /// not wait for transactions in flight. Whoever calls it must not hold a
    /// connection of the pool.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unavailable`] when the database cannot be asked, and
    /// [`SourceError::Unfit`] when readers have gone past an event that came late.
    pub(in crate::source::postgres) async fn look(&self) -> Result<Position, SourceError> {
        self.looking.look().await
    }

    /// Something was appended here: the lookout looks at once, if it does by itself.
    pub(in crate::source::postgres) fn hint(&self) {
        self.looking.hint();
    }

    /// What keeps the mark from moving on, as of the last look.
    pub(in crate::source::postgres) fn held_back(&self) -> Option<String> {
        self.looking.held_back()
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        for task in self.tasks.get().into_iter().flatten() {
            task.abort();
        }
    }
}

/// What an error of the database is for whoever reads the log.
fn failed(error: sqlx::Error) -> SourceError {
    match meaning(&error) {
        Meaning::Passing | Meaning::LockNotHad => SourceError::Unavailable(error.into()),
        _ => SourceError::Broken(error.into()),
    }
}

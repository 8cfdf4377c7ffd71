//! Looks, one at a time, for everyone who asks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::Gaps;
use super::round::{Progress, Round, Watched};
use crate::model::{Checkpoint, Position};
use crate::source::SourceError;

/// How long the start waits for transactions that are writing at the moment. Most
/// take milliseconds; long ones are waited for later.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// The pause between looks meanwhile.
const START_PAUSE: Duration = Duration::from_millis(5);

/// What all who look share.
pub(super) struct Looking {
    watched: Watched,
    turn: tokio::sync::Mutex<Turn>,
    /// The number of the look that began last.
    begun: AtomicU64,
    mark: AtomicU64,
    news: watch::Sender<Checkpoint>,
    held: Mutex<Option<String>>,
    /// Wakes the task that looks by itself.
    wake: Notify,
    is_listening: AtomicBool,
}

/// Held by whoever looks.
struct Turn {
    progress: Progress,
    /// The number of the last look that came to its end.
    ended: u64,
}

impl Looking {
    pub(super) fn new(watched: Watched) -> Self {
        let progress = Progress::new(watched.log.gaps);
        Self {
            watched,
            turn: tokio::sync::Mutex::new(Turn { progress, ended: 0 }),
            begun: AtomicU64::new(0),
            mark: AtomicU64::new(0),
            news: watch::Sender::new(Checkpoint::start()),
            held: Mutex::new(None),
            wake: Notify::new(),
            is_listening: AtomicBool::new(false),
        }
    }

    /// Looks for the first time, and waits a little for the history to be settled.
    pub(super) async fn start(&self) -> Result<(), SourceError> {
        let mut turn = self.turn.lock().await;
        if self.watched.log.gaps != Gaps::Ignore {
            turn.progress.begin(&self.watched).await?;
        }
        let until = Instant::now() + START_PATIENCE;
        loop {
            self.look_until(&mut turn.progress, Some(until)).await?;
            if turn.progress.is_past_history() {
                return Ok(());
            }
            if Instant::now() >= until {
                let (mark, held) = (turn.progress.mark(), self.held_back());
                tracing::info!(
                    mark,
                    held,
                    "later events are read when these writers have ended"
                );
                return Ok(());
            }
            tokio::time::sleep(START_PAUSE).await;
        }
    }

    /// See [`Lookout::look`](super::Lookout::look).
    pub(super) async fn look(&self) -> Result<Position, SourceError> {
        let begun = self.begun.load(Ordering::Acquire);
        let mut turn = self.turn.lock().await;
        // One that began while this one waited for its turn saw all that it would.
        if turn.ended <= begun {
            let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
            self.look_until(&mut turn.progress, None).await?;
            turn.ended = number;
        }
        Ok(self.mark())
    }

    /// Looks until nothing more can be settled, or until a point in time.
    async fn look_until(
        &self,
        progress: &mut Progress,
        until: Option<Instant>,
    ) -> Result<(), SourceError> {
        loop {
            let round = progress.round(&self.watched).await;
            self.announce(progress.mark());
            *self.held() = match &round {
                Ok(Round::Held(why)) => Some(why.clone()),
                Ok(Round::Done | Round::Again) => None,
                Err(error) => Some(error.to_string()),
            };
            let is_time = until.is_some_and(|until| Instant::now() >= until);
            if is_time || !matches!(round?, Round::Again) {
                return Ok(());
            }
        }
    }

    fn announce(&self, mark: u64) {
        self.mark.store(mark, Ordering::Release);
        self.news.send_if_modified(|head| {
            let is_news = mark > head.position().0;
            if is_news {
                *head = Checkpoint::at(Position(mark));
            }
            is_news
        });
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Checkpoint> {
        self.news.subscribe()
    }

    pub(super) fn mark(&self) -> Position {
        Position(self.mark.load(Ordering::Acquire))
    }

    pub(super) fn held_back(&self) -> Option<String> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Option<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to look at.
    pub(super) fn watched(&self) -> &Watched {
        &self.watched
    }

    pub(super) fn hint(&self) {
        self.wake.notify_one();
    }

    /// Waits for a hint.
    pub(super) async fn hinted(&self) {
        self.wake.notified().await;
    }

    /// Whether notifications of appends arrive.
    pub(super) fn is_listening(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed)
    }

    pub(super) fn set_listening(&self, is_listening: bool) {
        self.is_listening.store(is_listening, Ordering::Relaxed);
    }
}

//! How much a worker takes at a time.

use std::time::Duration;

/// How much a worker reads, gathers and remembers.
///
/// When it is at the head of the log it commits after every batch. When it is
/// behind it gathers batches until the database is ready for the next commit
/// and there is enough to write, but never past the upper bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// Events handed to a projector at once. Every batch pays for a fresh
    /// instance, and a larger one for more memory to touch; 2,000 was the least
    /// dear of 500 to 4,000 (`docs/performance.md`), and takes milliseconds.
    pub batch_events: usize,
    /// Payload bytes handed to a projector at once.
    pub batch_bytes: usize,
    /// Changed rows that are worth a commit while catching up.
    pub commit_rows: usize,
    /// Bytes of gathered values that force a commit.
    pub commit_bytes: usize,
    /// How long changes may be gathered before they are committed.
    pub commit_interval: Duration,
    /// Bytes of gathered values that force a commit while a generation that nobody
    /// reads is filled. Up to there each row is written once, however often it
    /// changes.
    pub fill_bytes: usize,
    /// Rows remembered for each projector, in bytes.
    pub cache_bytes: usize,
    /// The first pause before something that failed is tried again; it doubles
    /// up to `retry_most`.
    pub retry_first: Duration,
    /// The longest pause before something that failed is tried again.
    pub retry_most: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            batch_events: 2_000,
            batch_bytes: 1 << 20,
            commit_rows: 4_000,
            commit_bytes: 16 << 20,
            commit_interval: Duration::from_secs(1),
            fill_bytes: 128 << 20,
            cache_bytes: 64 << 20,
            retry_first: Duration::from_millis(100),
            retry_most: Duration::from_secs(30),
        }
    }
}

/// The longest that a fill goes without a commit: what a kill may cost.
const FILL_INTERVAL: Duration = Duration::from_secs(30);

impl Pacing {
    /// For filling a generation that nobody reads, in as few commits as memory
    /// allows.
    pub fn of_fill(&self) -> Self {
        Self {
            commit_rows: usize::MAX,
            commit_bytes: self.fill_bytes,
            commit_interval: self.commit_interval.max(FILL_INTERVAL),
            ..self.clone()
        }
    }
}

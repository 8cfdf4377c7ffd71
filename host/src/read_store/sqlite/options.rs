//! How a SQLite read store is opened.

use std::time::Duration;

use crate::read_store::Durability;

/// Settings of a SQLite read store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// What survives a power failure.
    pub durability: Durability,
    /// How long to wait for another process that is writing.
    pub busy_timeout: Duration,
    /// The page cache of each writer, in bytes. Other connections have a
    /// quarter.
    pub cache_bytes: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            // Longer than the longest commit of another projector, which aims
            // at one second; shorter than a person's patience.
            busy_timeout: Duration::from_secs(5),
            // Holds the inner pages of about a million rows of 200 bytes: they
            // hold whole rows, so that there is one for every twenty pages.
            cache_bytes: 16 << 20,
        }
    }
}

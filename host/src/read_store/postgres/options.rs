//! How a PostgreSQL read store is opened.

use std::time::Duration;

use crate::read_store::Durability;

/// Settings of a PostgreSQL read store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The schema that holds everything: records, physical tables and the
    /// readers' names. It is made when it is not there.
    pub schema: String,
    /// What survives a power failure of the server.
    pub durability: Durability,
    /// The longest that a swap waits for whoever holds the readers' names. New
    /// readers queue behind a swap that waits.
    pub lock_wait: Duration,
    /// How long a generation stays with a host that is no longer heard of.
    pub lease: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "read_models".into(),
            durability: Durability::default(),
            // Longer than nearly every query, shorter than a person's patience.
            lock_wait: Duration::from_millis(500),
            // Five heartbeats.
            lease: Duration::from_secs(5),
        }
    }
}

//! Telling other hosts that something was appended.
//!
//! PostgreSQL lets one transaction with a notification commit at a time, in the
//! whole server. So an append never notifies: a task does it afterwards, in a
//! transaction that writes nothing, and once for all appends of a few
//! milliseconds. It is a hint; whoever misses it finds out by polling.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::options::Schema;
use crate::postgres::Database;

/// The shortest time between two notifications: the most they add to the latency
/// of an append that follows another closely.
const PAUSE: Duration = Duration::from_millis(4);

/// Announces appends as long as it lives.
pub(super) struct Announcer {
    wake: Arc<Notify>,
    task: AbortHandle,
}

impl Announcer {
    pub(super) fn start(database: Database, schema: &Schema) -> Self {
        let wake = Arc::new(Notify::new());
        let task = tokio::spawn(run(database, schema.channel(), Arc::clone(&wake)));
        Self {
            wake,
            task: task.abort_handle(),
        }
    }

    /// Something was appended.
    pub(super) fn announce(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(database: Database, channel: String, wake: Arc<Notify>) {
    loop {
        wake.notified().await;
        // Nothing is lost when a hint is, so its commit need not wait for the disk.
        let notified =
            sqlx::query("SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')")
                .bind(&channel)
                .execute(database.pool())
                .await;
        if let Err(error) = notified {
            tracing::debug!(%error, "cannot tell other hosts of an append; they will poll");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

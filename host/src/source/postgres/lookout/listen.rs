//! Notifications that something was appended, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::look::Looking;

/// The pause before the first try to connect again, and the longest one.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Listens on `channel`, and connects again whenever that fails. It never ends by
/// itself.
pub(super) async fn keep_listening(looking: Arc<Looking>, channel: String) {
    let mut pause = RETRY.0;
    let mut is_failing = false;
    loop {
        let error = match connect(&looking, &channel).await {
            Ok(listener) => {
                if is_failing {
                    tracing::info!(channel, "notifications of new events arrive again");
                }
                (pause, is_failing) = (RETRY.0, false);
                looking.set_listening(true);
                // Whatever was notified before was missed.
                looking.hint();
                let error = listen(&looking, listener).await;
                looking.set_listening(false);
                error
            }
            Err(error) => Some(error),
        };
        if !is_failing {
            let error = error.map_or("the connection is lost".into(), |error| error.to_string());
            tracing::warn!(
                channel,
                error,
                "notifications of new events do not arrive; looking for them more often"
            );
        }
        is_failing = true;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn connect(looking: &Looking, channel: &str) -> Result<PgListener, sqlx::Error> {
    // A pool of one: the shared pool is small, and this connection is never given back.
    let options = looking.watched().database.connect_options().clone();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options)
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

/// Passes hints on until the connection is lost.
async fn listen(looking: &Looking, mut listener: PgListener) -> Option<sqlx::Error> {
    loop {
        match listener.try_recv().await {
            Ok(Some(_)) => looking.hint(),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

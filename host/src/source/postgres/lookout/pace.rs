//! Looking by itself: when, and how often.
//!
//! Polling is the truth; hints and notifications only make it early. A look at a log
//! where nothing happened costs the server about a fifth of a millisecond.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::look::Looking;

/// The shortest pause, however fast the hints come: at most 500 looks a second.
const LEAST_PAUSE: Duration = Duration::from_millis(2);

/// The pause after the mark has moved: more is likely to come.
const MOVING: Duration = Duration::from_millis(5);

/// The pause while a gap is open. Most are filled within the time of a commit.
const WAITING: Duration = Duration::from_millis(10);

/// How far that grows when it takes longer; then seconds do not matter.
const WAITING_LONG: Duration = Duration::from_millis(50);

/// The longest pause when nothing tells of appends.
const IDLE: Duration = Duration::from_millis(100);

/// The longest pause when notifications do.
const IDLE_LISTENING: Duration = Duration::from_millis(250);

/// The longest pause while looking fails.
const FAILING: Duration = Duration::from_secs(5);

/// A pause is at least this many times as long as the look before it, so that
/// looking keeps a server's core busy for a fifth of the time at most.
const PER_LOOK: u32 = 4;

/// Looks again and again. It never ends by itself.
pub(super) async fn keep_looking(looking: Arc<Looking>) {
    let mut pause = LEAST_PAUSE;
    let mut mark = looking.mark();
    let mut is_failing = false;
    loop {
        let began = Instant::now();
        match looking.look().await {
            Ok(now) => {
                if is_failing {
                    tracing::info!("the event log can be looked at again");
                }
                is_failing = false;
                pause = after_look(&looking, pause, now > mark);
                mark = now;
            }
            Err(error) => {
                // Said once, not at every look until it passes.
                if !is_failing {
                    let reason = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, reason, "cannot look for new events; trying on");
                }
                is_failing = true;
                pause = (pause * 2).clamp(IDLE, FAILING);
            }
        }
        // One that caught up with very much is no reason to rest for long.
        let least = (began.elapsed() * PER_LOOK).clamp(LEAST_PAUSE, IDLE_LISTENING);
        tokio::time::sleep(least).await;
        if pause > least && !is_failing {
            let _ = tokio::time::timeout(pause - least, looking.hinted()).await;
        } else if pause > least {
            tokio::time::sleep(pause - least).await;
        }
    }
}

fn after_look(looking: &Looking, last: Duration, has_moved: bool) -> Duration {
    let (least, most) = match (has_moved, looking.held_back().is_some()) {
        (true, _) => return MOVING,
        (false, true) => (WAITING, WAITING_LONG),
        (false, false) if looking.is_listening() => (MOVING, IDLE_LISTENING),
        (false, false) => (MOVING, IDLE),
    };
    (last + last / 4).clamp(least, most)
}

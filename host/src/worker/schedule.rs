//! When the next round begins, for a projector that does not work at once.
//!
//! Such a worker sleeps, then reads to the head as it is at that time, and
//! sleeps again. [`next_round`] decides, and is pure; the rest keeps what it is
//! decided upon, and does the sleeping. A worker that only catches up never
//! sleeps.

use std::time::Duration;

use tokio::sync::watch;

use super::cycle::{Cycle, LOOK_AGAIN};
use super::failure::Trouble;
use super::{Assignment, Goal};
use crate::config::Update;
use crate::model::{Checkpoint, Timestamp};

/// The rounds of one claim.
pub(super) struct Rounds {
    /// When the last round that came to its end began.
    last: Option<Timestamp>,
    /// When the present round began; `None` between rounds.
    present: Option<Timestamp>,
}

/// When the next round begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Now,
    At(Timestamp),
    /// The schedule names no later time.
    Never,
}

/// Decides from the time, how many positions are waiting, and when the last
/// round began. Without a last round there is one at once: what may have been
/// missed is made up for, once.
fn next_round(update: &Update, now: Timestamp, waiting: u64, last: Option<Timestamp>) -> Next {
    let Some(last) = last else {
        return Next::Now;
    };
    // A clock that was set back must not make a sleep longer.
    let last = last.min(now);
    let due = match update {
        Update::Immediate | Update::Inline => Some(now),
        Update::Batched { events, .. } if waiting >= *events => Some(now),
        Update::Batched { interval, .. } => {
            let interval = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
            Some(Timestamp(last.0.saturating_add(interval)))
        }
        Update::Scheduled(schedule) => schedule.next_after(last),
    };
    match due {
        Some(due) if due <= now => Next::Now,
        Some(due) => Next::At(due),
        None => Next::Never,
    }
}

impl Rounds {
    /// The rounds of an assignment; `None` when it is worked without sleeping.
    pub(super) async fn of(assignment: &Assignment) -> Result<Option<Self>, Trouble> {
        let never_sleeps = matches!(assignment.update, Update::Immediate | Update::Inline);
        if assignment.goal == Goal::CatchUp || never_sleeps {
            return Ok(None);
        }
        let last = match assignment.update {
            // A host that was down may have missed a time.
            Update::Scheduled(_) => assignment.store.last_run(assignment.generation).await?,
            Update::Batched { .. } | Update::Immediate | Update::Inline => None,
        };
        Ok(Some(Self {
            last,
            present: None,
        }))
    }
}

impl Cycle<'_> {
    /// Whether it would sleep now, unless a round is due.
    pub(super) fn is_between_rounds(&self) -> bool {
        let rounds = self.rounds.as_ref();
        rounds.is_some_and(|rounds| rounds.present.is_none())
    }

    /// Sleeps until the next round is due, or the worker is to stop. Within a
    /// round, and where rounds do not matter, returns at once.
    pub(super) async fn sleep(
        &mut self,
        news: &mut watch::Receiver<Checkpoint>,
        stopped: &mut watch::Receiver<bool>,
    ) {
        let Some(rounds) = self.rounds.as_mut().filter(|it| it.present.is_none()) else {
            return;
        };
        let update = &self.assignment.update;
        let counts_events = matches!(update, Update::Batched { .. });
        while !*stopped.borrow() {
            let now = Timestamp::now();
            let waiting = self.folded.lag_to(&news.borrow_and_update());
            let next = next_round(update, now, waiting, rounds.last);
            let at = match next {
                Next::Now => {
                    rounds.present = Some(now);
                    return;
                }
                Next::At(at) => Some(at),
                Next::Never => None,
            };
            self.status.sleeping(at);
            // In short pieces, as the clock may be set and the machine suspended.
            let left = at.map_or(u64::MAX, |at| at.0.abs_diff(now.0));
            tokio::select! {
                () = tokio::time::sleep(Duration::from_micros(left).min(LOOK_AGAIN)) => {}
                Ok(()) = news.changed(), if counts_events => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Ends the round at the head: all of it is committed. Says whether there was
    /// one to end.
    pub(super) async fn end_round(&mut self) -> Result<bool, Trouble> {
        let Some(began_at) = self.rounds.as_mut().and_then(|it| it.present.take()) else {
            return Ok(false);
        };
        self.commit_all().await?;
        let Assignment {
            store,
            update,
            generation,
            ..
        } = self.assignment;
        if let Update::Scheduled(_) = update {
            store.note_run(*generation, began_at).await?;
        }
        if let Some(rounds) = &mut self.rounds {
            rounds.last = Some(began_at);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Schedule;

    const NOON: i64 = 12 * HOUR;
    const HOUR: i64 = 3_600_000_000;
    const MINUTE: i64 = HOUR / 60;

    fn at(time: i64) -> Next {
        Next::At(Timestamp(time))
    }

    #[test]
    fn a_batch_is_due_by_time_or_by_number_whichever_is_first() {
        let update = Update::Batched {
            interval: Duration::from_secs(60),
            events: 10,
        };
        let next = |now, waiting, last: Option<i64>| {
            next_round(&update, Timestamp(now), waiting, last.map(Timestamp))
        };
        assert_eq!(next(NOON, 0, None), Next::Now, "at the start");
        assert_eq!(next(NOON + 1, 9, Some(NOON)), at(NOON + MINUTE));
        assert_eq!(next(NOON + 1, 10, Some(NOON)), Next::Now);
        assert_eq!(next(NOON + MINUTE, 1, Some(NOON)), Next::Now);
        // The clock was set back by an hour.
        assert_eq!(next(NOON - HOUR, 1, Some(NOON)), at(NOON - HOUR + MINUTE));
    }

    #[test]
    fn a_missed_time_is_made_up_for_once() {
        let update = Update::Scheduled(Schedule::of("0 2 * * *", "UTC"));
        let next = |now, last: Option<i64>| {
            next_round(&update, Timestamp(now), 1_000_000, last.map(Timestamp))
        };
        assert_eq!(next(NOON, None), Next::Now);
        // The run of 02:00 today is done, however many events wait.
        assert_eq!(next(NOON, Some(2 * HOUR)), at(26 * HOUR));
        // The host was down at 02:00, on three days even: one run.
        assert_eq!(next(NOON, Some(HOUR)), Next::Now);
        assert_eq!(next(NOON + 72 * HOUR, Some(HOUR)), Next::Now);
        assert_eq!(
            next(NOON + 72 * HOUR, Some(NOON + 72 * HOUR)),
            at(98 * HOUR)
        );
        // The clock was set back: the next time counts from now.
        assert_eq!(next(HOUR, Some(NOON)), at(2 * HOUR));
    }

    #[test]
    fn a_schedule_may_come_to_its_end() {
        let update = Update::Scheduled(Schedule::of("0 0 0 1 1 * 1971", "UTC"));
        let (now, last) = (800 * 24 * HOUR, 700 * 24 * HOUR);
        let next = next_round(&update, Timestamp(now), 1, Some(Timestamp(last)));
        assert_eq!(next, Next::Never);
    }
}

//! What the agents of a company are doing, what they may do, and what they are
//! waiting for: nine tables for the people who run them.
//!
//! Meant to run inside the transaction that appends (`inline`), so that whoever
//! appends an event reads its effect at once, and an event that makes no sense
//! is not appended at all. So this projector is strict where an event
//! contradicts the rows, and says what is wrong in words for whoever appended.

use lantern_sdk::prelude::*;
use lantern_sdk::{Key, Owned};

pub mod alarms;
pub mod approvals;
pub mod audit;
pub mod events;
pub mod integrations;
pub mod levels;
pub mod queues;
pub mod rules;
pub mod schedules;
pub mod tasks;
pub mod watchers;
pub mod words;

use alarms::Alarm;
use approvals::PendingApproval;
use events::AutonomyEvent;
use integrations::Integration;
use levels::LevelChange;
use queues::QueueDepth;
use rules::Rule;
use schedules::Schedule;
use tasks::ActiveTask;
use watchers::Watcher;

/// Keeps the nine tables.
#[projector(
    name = "autonomy",
    version = "1.0.0",
    tables(
        ActiveTask,
        Schedule,
        Watcher,
        Rule,
        Integration,
        PendingApproval,
        QueueDepth,
        LevelChange,
        Alarm
    )
)]
pub fn autonomy(event: Event<AutonomyEvent>, rows: &mut Rows) -> Result<()> {
    use AutonomyEvent as E;

    let at = event.time;
    match event.data {
        E::TaskStarted(e) => tasks::started(e, at, rows)?,
        E::TaskStepStarted(e) => tasks::step_started(e, at, rows)?,
        E::TaskPaused(e) => tasks::paused(e, at, rows)?,
        E::TaskResumed(e) => tasks::resumed(&e, at, rows)?,
        E::TaskEnded(e) => tasks::ended(&e, rows),
        E::ScheduleCreated(e) => schedules::created(e, at, rows)?,
        E::ScheduleChanged(e) => schedules::changed(e, at, rows)?,
        E::ScheduleRan(e) => schedules::ran(&e, at, rows)?,
        E::ScheduleMissed(e) => schedules::missed(&e, at, rows)?,
        E::ScheduleDeleted(e) => schedules::deleted(&e, rows),
        E::WatcherRegistered(e) => watchers::registered(e, at, rows)?,
        E::WatcherEnabled(e) => watchers::enabled(&e, at, rows)?,
        E::WatcherDisabled(e) => watchers::disabled(&e, at, rows)?,
        E::WatcherTicked(e) => watchers::ticked(&e, at, rows)?,
        E::WatcherSuppressed(e) => watchers::suppressed(&e, at, rows)?,
        E::WatcherRemoved(e) => watchers::removed(&e, rows),
        E::RuleCreated(e) => rules::created(e, at, rows)?,
        E::RuleEnabled(e) => rules::enabled(&e, at, rows)?,
        E::RuleDisabled(e) => rules::disabled(&e, at, rows)?,
        E::RuleHit(e) => rules::hit(&e, at, rows)?,
        E::RuleSuppressed(e) => rules::suppressed(e, at, rows)?,
        E::RuleDeleted(e) => rules::deleted(&e, rows),
        E::IntegrationConnected(e) => integrations::connected(e, at, rows),
        E::HealthChanged(e) => integrations::health_changed(&e, at, rows)?,
        E::AuthChanged(e) => integrations::auth_changed(&e, at, rows)?,
        E::CallSucceeded(e) => integrations::call_succeeded(&e, at, rows)?,
        E::CallFailed(e) => integrations::call_failed(e, at, rows)?,
        E::RateLimitChanged(e) => integrations::rate_limit_changed(&e, at, rows)?,
        E::IntegrationDisconnected(e) => integrations::disconnected(&e, rows),
        E::ApprovalRequested(e) => approvals::requested(e, at, rows)?,
        E::ApprovalSettled(e) => approvals::settled(&e, rows),
        E::DepthChanged(e) => queues::depth_changed(e, at, rows)?,
        E::LevelChanged(e) => levels::changed(e, None, at, rows)?,
        E::AlarmRaised(e) => alarms::raised(e, at, rows)?,
        E::AlarmAcked(e) => alarms::acked(&e, at, rows)?,
        E::AlarmResolved(e) => alarms::resolved(&e, at, rows)?,
        E::AlarmArchived(e) => alarms::archived(&e, rows),
        E::AuditRecorded(e) => audit::recorded(e, at, rows)?,
    }
    Ok(())
}

/// The row that an event is about, which must be there by then.
fn known<K: Key<Table: Owned>>(
    key: K,
    what: &str,
    id: &str,
    first: &str,
    rows: &mut Rows,
) -> Result<K::Table> {
    match rows.get(key)? {
        Some(row) => Ok(row),
        None => bail!("there is no {what} `{id}`: `{first}` must come first"),
    }
}

#[cfg(test)]
mod tests;

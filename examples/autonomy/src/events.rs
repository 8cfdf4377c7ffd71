//! What happens in the runtime of agents: every type of event, with its payload.

use lantern_sdk::prelude::*;

use crate::{
    alarms, approvals, audit, integrations, levels, queues, rules, schedules, tasks, watchers,
};

/// What happens in the runtime of agents.
#[derive(Events)]
pub enum AutonomyEvent {
    /// An agent began to work on a task.
    #[event("task.started")]
    TaskStarted(tasks::Started),
    /// A task came to another step.
    #[event("task.step_started")]
    TaskStepStarted(tasks::StepStarted),
    /// A task waits.
    #[event("task.paused")]
    TaskPaused(tasks::Paused),
    /// A task goes on.
    #[event("task.resumed")]
    TaskResumed(tasks::Resumed),
    /// A task came to its end.
    #[event("task.completed", "task.failed", "task.cancelled")]
    TaskEnded(tasks::Ended),
    /// Something is to be run at certain times.
    #[event("schedule.created")]
    ScheduleCreated(schedules::Created),
    /// It is to be run at other times.
    #[event("schedule.changed")]
    ScheduleChanged(schedules::Changed),
    /// It was run.
    #[event("schedule.ran")]
    ScheduleRan(schedules::Ran),
    /// It should have been run and was not.
    #[event("schedule.missed")]
    ScheduleMissed(schedules::Missed),
    /// It is to be run no more.
    #[event("schedule.deleted")]
    ScheduleDeleted(schedules::Deleted),
    /// There is a watcher.
    #[event("watcher.registered")]
    WatcherRegistered(watchers::Registered),
    /// A watcher was switched on.
    #[event("watcher.enabled")]
    WatcherEnabled(watchers::Named),
    /// A watcher was switched off.
    #[event("watcher.disabled")]
    WatcherDisabled(watchers::Named),
    /// A watcher looked.
    #[event("watcher.ticked")]
    WatcherTicked(watchers::Ticked),
    /// A watcher looked, and was kept from telling.
    #[event("watcher.suppressed")]
    WatcherSuppressed(watchers::Suppressed),
    /// A watcher is no more.
    #[event("watcher.removed")]
    WatcherRemoved(watchers::Named),
    /// There is a rule.
    #[event("rule.created")]
    RuleCreated(rules::Created),
    /// A rule was switched on.
    #[event("rule.enabled")]
    RuleEnabled(rules::Named),
    /// A rule was switched off.
    #[event("rule.disabled")]
    RuleDisabled(rules::Named),
    /// A rule applied.
    #[event("rule.hit")]
    RuleHit(rules::Hit),
    /// A rule was kept from applying.
    #[event("rule.suppressed")]
    RuleSuppressed(rules::Suppressed),
    /// A rule is no more.
    #[event("rule.deleted")]
    RuleDeleted(rules::Named),
    /// An integration was set up.
    #[event("integration.connected")]
    IntegrationConnected(integrations::Connected),
    /// An integration works better, or worse.
    #[event("integration.health_changed")]
    HealthChanged(integrations::HealthChanged),
    /// An integration lets us in again, or no longer.
    #[event("integration.auth_changed")]
    AuthChanged(integrations::AuthChanged),
    /// A call of an integration went well.
    #[event("integration.call_succeeded")]
    CallSucceeded(integrations::Named),
    /// A call of an integration did not.
    #[event("integration.call_failed")]
    CallFailed(integrations::CallFailed),
    /// An integration told how many calls it still takes.
    #[event("integration.rate_limit_changed")]
    RateLimitChanged(integrations::RateLimitChanged),
    /// An integration is no more.
    #[event("integration.disconnected")]
    IntegrationDisconnected(integrations::Named),
    /// An agent asks a person.
    #[event("approval.requested")]
    ApprovalRequested(approvals::Requested),
    /// There is nothing left to decide.
    #[event(
        "approval.granted",
        "approval.denied",
        "approval.expired",
        "approval.withdrawn"
    )]
    ApprovalSettled(approvals::Settled),
    /// The queues of a pool were measured.
    #[event("queue.depth_changed")]
    DepthChanged(queues::DepthChanged),
    /// An agent may do more by itself, or less.
    #[event("autonomy.level_changed")]
    LevelChanged(levels::Change),
    /// Something is wrong.
    #[event("alarm.raised")]
    AlarmRaised(alarms::Raised),
    /// Somebody sees to it.
    #[event("alarm.acked")]
    AlarmAcked(alarms::Acked),
    /// It is over.
    #[event("alarm.resolved")]
    AlarmResolved(alarms::Named),
    /// It is of no more interest.
    #[event("alarm.archived")]
    AlarmArchived(alarms::Named),
    /// Somebody did something by hand.
    #[event("audit.recorded")]
    AuditRecorded(audit::Entry),
}

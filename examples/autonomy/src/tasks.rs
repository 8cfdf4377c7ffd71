//! Tasks that agents work on, or will again: `active_tasks`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;
use crate::words::TaskStatus;

/// A task that has been started and has not ended.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "active_tasks",
    tenant_keyed,
    // What is to be woken next; what an agent has on hand.
    index(status, next_wake_time),
    index(agent_id, started_at),
)]
pub struct ActiveTask {
    /// The task.
    #[key]
    pub task_id: String,
    /// The agent that works on it.
    pub agent_id: String,
    /// What it is about.
    pub name: String,
    /// Whether it runs or waits.
    pub status: TaskStatus,
    /// The step that it is at.
    pub step: Option<String>,
    /// Why it waits.
    pub pause_reason: Option<String>,
    /// When it will go on; null when it runs, or waits for somebody.
    pub next_wake_time: Option<Timestamp>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `task.started`.
#[derive(Deserialize)]
pub struct Started {
    task_id: String,
    agent_id: String,
    name: String,
    step: Option<String>,
}

/// The payload of `task.step_started`.
#[derive(Deserialize)]
pub struct StepStarted {
    task_id: String,
    step: String,
}

/// The payload of `task.paused`.
#[derive(Deserialize)]
pub struct Paused {
    task_id: String,
    reason: Option<String>,
    next_wake_time: Option<Timestamp>,
}

/// The payload of `task.resumed`.
#[derive(Deserialize)]
pub struct Resumed {
    task_id: String,
}

/// The payload of `task.completed`, `task.failed` and `task.cancelled`.
#[derive(Deserialize)]
pub struct Ended {
    task_id: String,
}

/// An agent began to work on a task.
///
/// # Errors
///
/// Fails when another start of that task is still active: two agents would
/// work on it.
pub fn started(task: Started, at: Timestamp, rows: &mut Rows) -> Result<()> {
    if let Some(held) = rows.get(ActiveTask::key(&task.task_id))? {
        // The same start, told again.
        if held.started_at == at && held.agent_id == task.agent_id {
            return Ok(());
        }
        bail!(
            "task `{}` cannot be started: agent `{}` has had it since {}",
            task.task_id,
            held.agent_id,
            held.started_at
        );
    }
    rows.upsert(&ActiveTask {
        task_id: task.task_id,
        agent_id: task.agent_id,
        name: task.name,
        status: TaskStatus::Running,
        step: task.step,
        pause_reason: None,
        next_wake_time: None,
        started_at: at,
        updated_at: at,
    });
    Ok(())
}

/// A task came to another step.
///
/// # Errors
///
/// Fails on a task that is not active.
pub fn step_started(task: StepStarted, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&task.task_id, rows)?;
    rows.patch(ActiveTask::key(&held.task_id))
        .set(ActiveTask::step, task.step)
        .set(ActiveTask::updated_at, at);
    Ok(())
}

/// A task waits, until a time or until somebody resumes it.
///
/// # Errors
///
/// Fails on a task that is not active.
pub fn paused(task: Paused, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&task.task_id, rows)?;
    rows.patch(ActiveTask::key(&held.task_id))
        .set(ActiveTask::status, TaskStatus::Paused)
        .set(ActiveTask::pause_reason, task.reason)
        .set(ActiveTask::next_wake_time, task.next_wake_time)
        .set(ActiveTask::updated_at, at);
    Ok(())
}

/// A task goes on.
///
/// # Errors
///
/// Fails on a task that is not active.
pub fn resumed(task: &Resumed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&task.task_id, rows)?;
    rows.patch(ActiveTask::key(&held.task_id))
        .set(ActiveTask::status, TaskStatus::Running)
        .clear(ActiveTask::pause_reason)
        .clear(ActiveTask::next_wake_time)
        .set(ActiveTask::updated_at, at);
    Ok(())
}

/// A task came to its end, whichever it was. One that is not active has ended
/// already, which is no failure: agents tell of an end until it is heard.
pub fn ended(task: &Ended, rows: &mut Rows) {
    rows.delete(ActiveTask::key(&task.task_id));
}

fn find(task_id: &str, rows: &mut Rows) -> Result<ActiveTask> {
    known(
        ActiveTask::key(task_id),
        "task",
        task_id,
        "task.started",
        rows,
    )
}

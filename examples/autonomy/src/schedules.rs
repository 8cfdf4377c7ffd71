//! What is to be run when, and what was not: `schedules`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;

/// One schedule.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "schedules", tenant_keyed, index(next_run_at), index(missed_runs desc))]
pub struct Schedule {
    /// The schedule.
    #[key]
    pub schedule_id: String,
    /// What it runs.
    pub name: String,
    /// When it runs, as a cron expression.
    pub cron: String,
    /// The time zone of that, as in the IANA database; null is UTC.
    pub time_zone: Option<String>,
    /// When it is to run next; null when it will not.
    pub next_run_at: Option<Timestamp>,
    /// When it last ran.
    pub last_run_at: Option<Timestamp>,
    /// How often it should have run and did not.
    pub missed_runs: i64,
    /// For when the last of these was due.
    pub last_missed_due_at: Option<Timestamp>,
    /// For when the one was due that was told of last. If that is told again, it
    /// is known by this.
    pub last_told_due_at: Option<Timestamp>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `schedule.created`.
#[derive(Deserialize)]
pub struct Created {
    schedule_id: String,
    name: String,
    cron: String,
    time_zone: Option<String>,
    next_run_at: Option<Timestamp>,
}

/// The payload of `schedule.changed`: what is missing stays.
#[derive(Deserialize)]
pub struct Changed {
    schedule_id: String,
    cron: Option<String>,
    time_zone: Option<String>,
    next_run_at: Option<Timestamp>,
}

/// The payload of `schedule.ran`.
#[derive(Deserialize)]
pub struct Ran {
    schedule_id: String,
    next_run_at: Option<Timestamp>,
}

/// The payload of `schedule.missed`.
#[derive(Deserialize)]
pub struct Missed {
    schedule_id: String,
    due_at: Timestamp,
    next_run_at: Option<Timestamp>,
}

/// The payload of `schedule.deleted`.
#[derive(Deserialize)]
pub struct Deleted {
    schedule_id: String,
}

/// Something is to be run at certain times. Of a schedule that there is, what
/// has happened to it stays.
///
/// # Errors
///
/// Fails when the row cannot be read.
pub fn created(schedule: Created, at: Timestamp, rows: &mut Rows) -> Result<()> {
    if rows.get(Schedule::key(&schedule.schedule_id))?.is_some() {
        return Ok(());
    }
    rows.upsert(&Schedule {
        schedule_id: schedule.schedule_id,
        name: schedule.name,
        cron: schedule.cron,
        time_zone: schedule.time_zone,
        next_run_at: schedule.next_run_at,
        last_run_at: None,
        missed_runs: 0,
        last_missed_due_at: None,
        last_told_due_at: None,
        updated_at: at,
    });
    Ok(())
}

/// It is to be run at other times.
///
/// # Errors
///
/// Fails on a schedule that is not known.
pub fn changed(change: Changed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&change.schedule_id, rows)?;
    rows.upsert(&Schedule {
        cron: change.cron.unwrap_or(held.cron),
        time_zone: change.time_zone.or(held.time_zone),
        next_run_at: change.next_run_at.or(held.next_run_at),
        updated_at: at,
        ..held
    });
    Ok(())
}

/// It was run.
///
/// # Errors
///
/// Fails on a schedule that is not known.
pub fn ran(run: &Ran, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&run.schedule_id, rows)?;
    rows.patch(Schedule::key(&held.schedule_id))
        .set(Schedule::last_run_at, at)
        .set(Schedule::next_run_at, run.next_run_at)
        .set(Schedule::updated_at, at);
    Ok(())
}

/// It should have been run. A run that is told of twice is missed once: it is
/// known by when it was due. Runs may be told of in any order, the newest first too.
///
/// # Errors
///
/// Fails on a schedule that is not known.
pub fn missed(run: &Missed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&run.schedule_id, rows)?;
    if held.last_told_due_at == Some(run.due_at) {
        return Ok(());
    }
    let last_due = held.last_missed_due_at.max(Some(run.due_at));
    rows.patch(Schedule::key(&held.schedule_id))
        .set(Schedule::missed_runs, held.missed_runs + 1)
        .set(Schedule::last_missed_due_at, last_due)
        .set(Schedule::last_told_due_at, run.due_at)
        .set(Schedule::next_run_at, run.next_run_at)
        .set(Schedule::updated_at, at);
    Ok(())
}

/// It is to be run no more.
pub fn deleted(schedule: &Deleted, rows: &mut Rows) {
    rows.delete(Schedule::key(&schedule.schedule_id));
}

fn find(schedule_id: &str, rows: &mut Rows) -> Result<Schedule> {
    let key = Schedule::key(schedule_id);
    known(key, "schedule", schedule_id, "schedule.created", rows)
}

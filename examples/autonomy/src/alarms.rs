//! What people should look at: `alarms`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;
use crate::words::{AlarmStatus, Severity};

/// An alarm: open, acked, or resolved and not yet archived. How recent is
/// recent enough is for readers to say, by `resolved_at`: a projector has no
/// clock by which a row could grow old.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "alarms",
    tenant_keyed,
    index(status, raised_at desc),
    index(status, resolved_at desc),
)]
pub struct Alarm {
    /// The alarm.
    #[key]
    pub alarm_id: String,
    /// How it stands.
    pub status: AlarmStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
    pub message: String,
    /// Where it comes from, such as a watcher or an integration.
    pub raised_from: Option<String>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When somebody saw to it.
    pub acked_at: Option<Timestamp>,
    /// Who that was.
    pub acked_by: Option<String>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `alarm.raised`.
#[derive(Deserialize)]
pub struct Raised {
    alarm_id: String,
    severity: Severity,
    message: String,
    raised_from: Option<String>,
}

/// The payload of `alarm.acked`.
#[derive(Deserialize)]
pub struct Acked {
    alarm_id: String,
    by: Option<String>,
}

/// The payload of `alarm.resolved` and `alarm.archived`.
#[derive(Deserialize)]
pub struct Named {
    alarm_id: String,
}

/// Something is wrong. Of an alarm that is not over, severity and message
/// follow; one that was is open anew.
///
/// # Errors
///
/// Fails when the row cannot be read.
pub fn raised(alarm: Raised, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let unresolved = rows
        .get(Alarm::key(&alarm.alarm_id))?
        .filter(|held| held.status != AlarmStatus::Resolved);
    if let Some(held) = unresolved {
        rows.patch(Alarm::key(&held.alarm_id))
            .set(Alarm::severity, alarm.severity)
            .set(Alarm::message, alarm.message)
            .set(Alarm::updated_at, at);
        return Ok(());
    }
    rows.upsert(&Alarm {
        alarm_id: alarm.alarm_id,
        status: AlarmStatus::Open,
        severity: alarm.severity,
        message: alarm.message,
        raised_from: alarm.raised_from,
        raised_at: at,
        acked_at: None,
        acked_by: None,
        resolved_at: None,
        updated_at: at,
    });
    Ok(())
}

/// Somebody sees to an alarm.
///
/// # Errors
///
/// Fails on an alarm that is not known.
pub fn acked(ack: &Acked, at: Timestamp, rows: &mut Rows) -> Result<()> {
    seen_to(&ack.alarm_id, ack.by.as_deref(), at, rows)
}

/// Sees to an alarm. The first who does is remembered; one that is over needs
/// nobody.
pub(crate) fn seen_to(
    alarm_id: &str,
    by: Option<&str>,
    at: Timestamp,
    rows: &mut Rows,
) -> Result<()> {
    let held = find(alarm_id, rows)?;
    if held.status == AlarmStatus::Open {
        rows.patch(Alarm::key(&held.alarm_id))
            .set(Alarm::status, AlarmStatus::Acked)
            .set(Alarm::acked_at, at)
            .set(Alarm::acked_by, by.map(str::to_owned))
            .set(Alarm::updated_at, at);
    }
    Ok(())
}

/// An alarm is over, whether anybody saw to it or not.
///
/// # Errors
///
/// Fails on an alarm that is not known.
pub fn resolved(alarm: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&alarm.alarm_id, rows)?;
    if held.status != AlarmStatus::Resolved {
        rows.patch(Alarm::key(&held.alarm_id))
            .set(Alarm::status, AlarmStatus::Resolved)
            .set(Alarm::resolved_at, at)
            .set(Alarm::updated_at, at);
    }
    Ok(())
}

/// An alarm is of no more interest.
pub fn archived(alarm: &Named, rows: &mut Rows) {
    rows.delete(Alarm::key(&alarm.alarm_id));
}

fn find(alarm_id: &str, rows: &mut Rows) -> Result<Alarm> {
    known(
        Alarm::key(alarm_id),
        "alarm",
        alarm_id,
        "alarm.raised",
        rows,
    )
}

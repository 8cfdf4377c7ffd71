//! What things cost, and how that is added to a period's rows.

use lantern_sdk::prelude::*;

use crate::tables::{BillingLine, BillingProcess, BillingTotal};

const MILLIS_PER_SECOND: i64 = 1000;
const SECONDS_PER_HOUR: i128 = 3600;

/// What one event adds to a period.
#[derive(Default)]
pub(crate) struct Amounts {
    pub(crate) started: i64,
    pub(crate) completed: i64,
    pub(crate) failed: i64,
    pub(crate) billable_seconds: i64,
    pub(crate) amount_cents: i64,
    pub(crate) refunds: i64,
    pub(crate) refunded_cents: i64,
}

/// The period that a time is in: the month in UTC, as `2026-03`.
pub(crate) fn period(time: Timestamp) -> String {
    let mut month = time.date();
    month.truncate(month.len() - "-01".len());
    month
}

/// Whole seconds; one that has begun counts.
pub(crate) fn billable_seconds(worked_ms: i64) -> i64 {
    (worked_ms + MILLIS_PER_SECOND - 1) / MILLIS_PER_SECOND
}

/// What so many seconds cost, rounded to the nearest cent and half a cent up.
/// In whole numbers, so that it is the same on every machine.
///
/// # Errors
///
/// Fails when it is more than a column holds.
pub(crate) fn price_cents(seconds: i64, rate_cents_per_hour: u32) -> Result<i64> {
    let exact = i128::from(seconds) * i128::from(rate_cents_per_hour);
    let rounded = (exact + SECONDS_PER_HOUR / 2) / SECONDS_PER_HOUR;
    i64::try_from(rounded)
        .map_err(|_| Error::new(format_args!("{rounded} cents are more than a column holds")))
}

/// Adds to the line and to the total of a period. Neither is read: increments
/// of all columns make a row that is not there yet.
pub(crate) fn add(rows: &mut Rows, period: &str, process: &BillingProcess, amounts: &Amounts) {
    let (process_type, currency) = (&process.process_type, &process.currency);
    rows.increment(BillingLine::key(period, process_type, currency))
        .by(BillingLine::started, amounts.started)
        .by(BillingLine::completed, amounts.completed)
        .by(BillingLine::failed, amounts.failed)
        .by(BillingLine::billable_seconds, amounts.billable_seconds)
        .by(BillingLine::amount_cents, amounts.amount_cents)
        .by(BillingLine::refunds, amounts.refunds)
        .by(BillingLine::refunded_cents, amounts.refunded_cents);
    rows.increment(BillingTotal::key(period, currency))
        .by(BillingTotal::started, amounts.started)
        .by(BillingTotal::completed, amounts.completed)
        .by(BillingTotal::failed, amounts.failed)
        .by(BillingTotal::billable_seconds, amounts.billable_seconds)
        .by(BillingTotal::amount_cents, amounts.amount_cents)
        .by(BillingTotal::refunded_cents, amounts.refunded_cents)
        .by(
            BillingTotal::due_cents,
            amounts.amount_cents - amounts.refunded_cents,
        );
}

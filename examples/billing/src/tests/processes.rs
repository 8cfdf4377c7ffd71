//! The events that the tests give, and rows as they begin.

use lantern_sdk::testing::{GivenEvent, event, json};

use super::super::*;

/// An event of one of acme's processes.
pub(super) fn named(event_type: &str, id: &str) -> GivenEvent {
    event(event_type)
        .stream(format!("process/acme/{id}"))
        .tenant("acme")
        .time("2026-03-09T09:00:00Z")
}

pub(super) fn started(id: &str) -> GivenEvent {
    named("process.started", id).data(json!({
        "type": "invoice-scan",
        "rate_cents_per_hour": 1000,
        "currency": "EUR",
    }))
}

pub(super) fn step(id: &str, step: u32, duration_ms: u32) -> GivenEvent {
    named("process.step_completed", id).data(json!({ "step": step, "duration_ms": duration_ms }))
}

pub(super) fn completed(id: &str) -> GivenEvent {
    named("process.completed", id)
}

pub(super) fn failed(id: &str) -> GivenEvent {
    named("process.failed", id).data(json!({ "reason": "the worker gave up" }))
}

pub(super) fn refunded(id: &str, refund_id: &str, amount_cents: u32) -> GivenEvent {
    named("process.refunded", id)
        .data(json!({ "refund_id": refund_id, "amount_cents": amount_cents }))
}

/// A refund that does not say how much: all that is left.
pub(super) fn refunded_whole(id: &str, refund_id: &str) -> GivenEvent {
    named("process.refunded", id).data(json!({ "refund_id": refund_id }))
}

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(super) fn line(period: &str) -> BillingLine {
    BillingLine {
        period: period.into(),
        process_type: "invoice-scan".into(),
        currency: "EUR".into(),
        started: 0,
        completed: 0,
        failed: 0,
        billable_seconds: 0,
        amount_cents: 0,
        refunds: 0,
        refunded_cents: 0,
    }
}

/// A process that has started.
pub(super) fn process(id: &str) -> BillingProcess {
    BillingProcess {
        process_id: id.into(),
        process_type: "invoice-scan".into(),
        rate_cents_per_hour: 1000,
        currency: "EUR".into(),
        state: "running".into(),
        last_step: 0,
        worked_ms: 0,
        started_at: at("2026-03-09T09:00:00Z"),
        finished_at: None,
        period: None,
        amount_cents: 0,
        refunded_cents: 0,
    }
}

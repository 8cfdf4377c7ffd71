//! The events that the tests give.

use lantern_sdk::testing::{GivenEvent, event, json};

use super::super::*;

/// Every order of so many things.
pub(super) fn orders_of(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let shorter = orders_of(last).into_iter();
    shorter
        .flat_map(|order| {
            (0..count).map(move |at| {
                let mut order = order.clone();
                order.insert(at, last);
                order
            })
        })
        .collect()
}

pub(super) fn submitted() -> GivenEvent {
    event("ServiceCallSubmitted").data(json!({
        "service_call_id": "sc-1",
        "name": "Capture payment",
        "submitted_at": "2026-06-01T08:00:00Z",
        "tags": ["payments"],
        "request": request(),
    }))
}

pub(super) fn scheduled() -> GivenEvent {
    dated("08:00:01", "08:05:00")
}

pub(super) fn put_off() -> GivenEvent {
    dated("08:01:00", "09:00:00")
}

pub(super) fn dated(at: &str, due: &str) -> GivenEvent {
    event("ServiceCallScheduled").data(json!({
        "service_call_id": "sc-1",
        "scheduled_at": time(at),
        "due_at": time(due),
    }))
}

pub(super) fn started() -> GivenEvent {
    event("ExecutionStarted").data(json!({
        "service_call_id": "sc-1",
        "started_at": time("08:05:02"),
    }))
}

pub(super) fn succeeded() -> GivenEvent {
    let answer = json!({ "response_meta": { "status": 201, "latency_ms": 180 } });
    ended("ExecutionSucceeded", "08:05:04", answer)
}

/// At the same time as `succeeded`, which then counts.
pub(super) fn failed() -> GivenEvent {
    ended("ExecutionFailed", "08:05:04", timeout())
}

pub(super) fn timeout() -> serde_json::Value {
    json!({ "error_meta": { "kind": "timeout", "latency_ms": 30_000 } })
}

pub(super) fn ended(event_type: &str, at: &str, mut data: serde_json::Value) -> GivenEvent {
    data["service_call_id"] = json!("sc-1");
    data["finished_at"] = json!(time(at));
    event(event_type).data(data)
}

pub(super) fn request() -> Request {
    Request {
        method: "POST".into(),
        url: "https://api.payments.example/v1/charges/1/capture".into(),
        headers: None,
        body_snippet: Some("{\"amount_cents\":".into()),
    }
}

pub(super) fn time(of_day: &str) -> Timestamp {
    format!("2026-06-01T{of_day}Z").parse().unwrap()
}

pub(super) fn fresh() -> ServiceCall {
    ServiceCall {
        service_call_id: "sc-1".into(),
        name: "Capture payment".into(),
        status: "Scheduled".into(),
        due_at: None,
        submitted_at: time("08:00:00"),
        started_at: None,
        finished_at: None,
        tags: Some(Json(vec!["payments".into()])),
    }
}

//! Given these events, then these rows.

use lantern_sdk::testing::{Projected, event, events_from_json_lines, given, json};

use super::*;
use calls::{
    ended, failed, fresh, orders_of, put_off, request, scheduled, started, submitted, succeeded,
    time, timeout,
};

mod calls;

#[test]
fn a_call_succeeds() {
    given([submitted(), scheduled(), started(), succeeded()])
        .when(service_calls)
        .then([ServiceCall {
            status: "Succeeded".into(),
            due_at: Some(time("08:05:00")),
            started_at: Some(time("08:05:02")),
            finished_at: Some(time("08:05:04")),
            ..fresh()
        }])
        .then([ServiceCallDetail {
            name: Some("Capture payment".into()),
            status: "Succeeded".into(),
            scheduled_at: Some(time("08:00:01")),
            due_at: Some(time("08:05:00")),
            submitted_at: Some(time("08:00:00")),
            started_at: Some(time("08:05:02")),
            finished_at: Some(time("08:05:04")),
            tags: Some(Json(vec!["payments".into()])),
            request: Some(Json(request())),
            response_meta: Some(Json(ResponseMeta {
                status: 201,
                headers: None,
                body_snippet: None,
                latency_ms: Some(180),
            })),
            ..ServiceCallDetail::unknown("sc-1")
        }]);
}

#[test]
fn each_step_has_its_status() {
    let statuses = [
        ("Scheduled", vec![submitted()]),
        ("Scheduled", vec![submitted(), scheduled()]),
        ("Running", vec![submitted(), scheduled(), started()]),
        (
            "Failed",
            vec![submitted(), scheduled(), started(), failed()],
        ),
        // A call may fail before any worker has begun with it.
        ("Failed", vec![submitted(), failed()]),
    ];
    for (status, events) in statuses {
        let projected = given(events).when(service_calls);
        let call = projected.row(ServiceCall::key("sc-1")).unwrap();
        assert_eq!(call.status, status);
    }
}

/// At-least-once delivery does not show: any order, and everything twice.
#[test]
fn any_order_and_any_repetition_end_in_the_same_rows() {
    let events = [
        submitted(),
        scheduled(),
        put_off(),
        started(),
        failed(),
        succeeded(),
    ];
    let in_order = given(events.clone()).when(service_calls);
    let rows_of = |projected: &Projected| {
        let calls = projected.rows::<ServiceCall>();
        (calls, projected.rows::<ServiceCallDetail>())
    };
    let mut tried = 0;
    for order in orders_of(events.len()) {
        let shuffled = order.iter().map(|&at| events[at].clone());
        // Each event comes again when all have come, in another order.
        let again = order.iter().rev().map(|&at| events[at].clone());
        let projected = given(shuffled.chain(again)).when(service_calls);
        assert_eq!(rows_of(&projected), rows_of(&in_order), "order {order:?}");
        tried += 1;
    }
    assert_eq!(tried, 720);
}

/// Nor does it show which of two different events about one moment came first.
#[test]
fn events_of_the_same_time_count_the_same_in_any_order() {
    let otherwise = json!({
        "service_call_id": "sc-1",
        "name": "Capture all",
        "submitted_at": "2026-06-01T08:00:00Z",
        "request": { "method": "GET", "url": "https://api.payments.example" },
    });
    let error = json!({ "error_meta": { "kind": "dns", "details": { "z": 1, "a": 2 } } });
    let answer = json!({ "response_meta": { "status": 200 } });
    let again = |event_type, data| ended(event_type, "08:05:04", data);
    let groups = [
        vec![submitted(), event("ServiceCallSubmitted").data(otherwise)],
        vec![submitted(), failed(), again("ExecutionFailed", error)],
        vec![
            submitted(),
            succeeded(),
            again("ExecutionSucceeded", answer),
        ],
    ];
    for events in groups {
        let rows = |order: &[usize]| {
            let events = order.iter().map(|&at| events[at].clone());
            let projected = given(events).when(service_calls);
            let calls = projected.rows::<ServiceCall>();
            (calls, projected.rows::<ServiceCallDetail>())
        };
        let in_order = rows(&orders_of(events.len())[0]);
        for order in orders_of(events.len()) {
            assert_eq!(rows(&order), in_order, "order {order:?}");
        }
    }
}

#[test]
fn a_repeated_older_event_does_not_take_a_finished_call_back() {
    given([submitted(), started(), succeeded(), started(), submitted()])
        .when(service_calls)
        .then([ServiceCall {
            status: "Succeeded".into(),
            started_at: Some(time("08:05:02")),
            finished_at: Some(time("08:05:04")),
            ..fresh()
        }]);
}

#[test]
fn the_first_end_counts() {
    let failed_late = ended("ExecutionFailed", "08:05:09", timeout());
    let projected = given([submitted(), failed_late, succeeded()]).when(service_calls);
    let detail = projected.row(ServiceCallDetail::key("sc-1")).unwrap();
    assert_eq!(detail.status, "Succeeded");
    assert_eq!(detail.finished_at, Some(time("08:05:04")));
    assert_eq!(detail.error_meta, None);
}

#[test]
fn the_first_submission_and_the_first_start_count() {
    let other_submission = event("ServiceCallSubmitted").data(json!({
        "service_call_id": "sc-1",
        "name": "Capture payment again",
        "submitted_at": "2026-06-01T08:00:07Z",
        "request": { "method": "GET", "url": "https://api.payments.example" },
    }));
    let other_start = event("ExecutionStarted").data(json!({
        "service_call_id": "sc-1",
        "started_at": "2026-06-01T08:05:03Z",
    }));
    let mut events = vec![submitted(), started(), other_submission, other_start];
    for _ in 0..2 {
        events.reverse();
        given(events.clone())
            .when(service_calls)
            .then([ServiceCall {
                status: "Running".into(),
                started_at: Some(time("08:05:02")),
                ..fresh()
            }]);
    }
}

#[test]
fn the_last_date_that_was_given_counts() {
    given([submitted(), put_off(), scheduled()])
        .when(service_calls)
        .then([ServiceCall {
            due_at: Some(time("09:00:00")),
            ..fresh()
        }]);
}

#[test]
fn a_call_is_listed_once_its_submission_has_come() {
    let before = given([scheduled(), started()]).when(service_calls);
    assert_eq!(before.rows::<ServiceCall>(), []);
    let detail = before.row(ServiceCallDetail::key("sc-1")).unwrap();
    assert_eq!((detail.status.as_str(), detail.name), ("Running", None));

    given([scheduled(), started(), submitted()])
        .when(service_calls)
        .then([ServiceCall {
            status: "Running".into(),
            due_at: Some(time("08:05:00")),
            started_at: Some(time("08:05:02")),
            ..fresh()
        }]);
}

#[test]
fn tenants_may_have_calls_of_the_same_id() {
    let projected = given([
        submitted().tenant("acme"),
        submitted().tenant("kestrel"),
        started().tenant("kestrel"),
    ])
    .when(service_calls);
    let calls = projected.json("service_calls");
    assert_eq!(calls[0]["tenant"], "acme");
    assert_eq!(calls[0]["status"], "Scheduled");
    assert_eq!(calls[1]["tenant"], "kestrel");
    assert_eq!(calls[1]["status"], "Running");
    assert_eq!(calls[2], json!(null));
}

#[test]
fn optional_fields_may_be_missing_and_unknown_ones_are_left_out() {
    let bare = event("ServiceCallSubmitted").data(json!({
        "service_call_id": "sc-1",
        "name": "Fetch exchange rates",
        "submitted_at": "2026-06-01T08:00:00Z",
        "priority": "low",
        "request": { "method": "GET", "url": "https://rates.example", "protocol": "h2" },
    }));
    let dns = ended(
        "ExecutionFailed",
        "08:05:04",
        json!({ "error_meta": { "kind": "dns" } }),
    );
    let projected = given([bare, dns]).when(service_calls);
    let detail = &projected.json("service_call_details")[0];
    assert_eq!(detail["tags"], json!(null));
    assert_eq!(
        detail["request"],
        json!({ "method": "GET", "url": "https://rates.example" })
    );
    assert_eq!(detail["error_meta"], json!({ "kind": "dns" }));
}

#[test]
fn a_call_without_an_id_is_a_failure() {
    let nameless = event("ExecutionStarted").data(json!({ "started_at": "2026-06-01T08:00:00Z" }));
    given([submitted(), nameless])
        .when(service_calls)
        .then_failure(1, "missing field `service_call_id`");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(service_calls);
    let read = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        projected.json("service_calls"),
        read(include_str!("../expected/service_calls.json"))
    );
    assert_eq!(
        projected.json("service_call_details"),
        read(include_str!("../expected/service_call_details.json"))
    );
}

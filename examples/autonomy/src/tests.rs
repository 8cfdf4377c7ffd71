//! Given these events, then these rows.

use lantern_sdk::testing::{GivenEvent, Projected, event, events_from_json_lines, given, json};
use serde_json::Value;

use super::*;

mod people;
mod refusals;
mod runtime;

const TABLES: [(&str, &str); 9] = [
    (
        "active_tasks",
        include_str!("../expected/active_tasks.json"),
    ),
    ("schedules", include_str!("../expected/schedules.json")),
    ("watchers", include_str!("../expected/watchers.json")),
    ("rules", include_str!("../expected/rules.json")),
    (
        "integrations",
        include_str!("../expected/integrations.json"),
    ),
    (
        "pending_approvals",
        include_str!("../expected/pending_approvals.json"),
    ),
    ("queue_depth", include_str!("../expected/queue_depth.json")),
    (
        "autonomy_history",
        include_str!("../expected/autonomy_history.json"),
    ),
    ("alarms", include_str!("../expected/alarms.json")),
];

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(autonomy);
    for (table, expected) in TABLES {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(projected.json(table), expected, "{table}");
    }
}

#[test]
fn every_event_may_be_told_twice() {
    let twice = include_str!("../events.jsonl")
        .lines()
        .flat_map(|line| events_from_json_lines(line).into_iter().cycle().take(2));
    let projected = given(twice).when(autonomy);
    for (table, expected) in TABLES {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(projected.json(table), expected, "{table}");
    }
}

#[test]
fn tenants_do_not_see_each_other() {
    let raised = |tenant: &str, message: &str| {
        event("alarm.raised").tenant(tenant).data(json!({
            "alarm_id": "a1", "severity": "info", "message": message,
        }))
    };
    let ack = event("alarm.acked").tenant("acme");
    let projected = given([
        raised("acme", "disk"),
        raised("globex", "mail"),
        ack.data(json!({ "alarm_id": "a1" })),
    ])
    .when(autonomy);
    let alarms = projected.json("alarms");
    assert_eq!(alarms[0]["tenant"], "acme");
    assert_eq!(alarms[0]["status"], "acked");
    assert_eq!(alarms[1]["tenant"], "globex");
    assert_eq!(alarms[1]["status"], "open");
}

/// An event at a minute of a day, with this payload.
fn at(minute: u32, event_type: &str, data: Value) -> GivenEvent {
    event(event_type).time(&time(minute)).data(data)
}

fn time(minute: u32) -> String {
    format!(
        "2026-05-01T{:02}:{:02}:00.000Z",
        8 + minute / 60,
        minute % 60
    )
}

/// A moment as a row holds it.
fn moment(minute: u32) -> Timestamp {
    time(minute).parse().unwrap()
}

/// The only row of a table, as JSON.
fn only_row(projected: &Projected, table: &str) -> Value {
    let rows = projected.json(table);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    rows[0].clone()
}

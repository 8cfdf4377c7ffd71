//! Events that make no sense, and what whoever appended them is told.

use super::*;

#[track_caller]
fn refused(event_type: &str, data: Value, message: &str) {
    given([at(0, event_type, data)])
        .when(autonomy)
        .then_failure(0, message);
}

#[test]
fn what_was_never_begun_cannot_go_on() {
    for (event_type, data, message) in [
        (
            "task.paused",
            json!({ "task_id": "t9" }),
            "there is no task `t9`: `task.started` must come first",
        ),
        (
            "schedule.ran",
            json!({ "schedule_id": "s9" }),
            "there is no schedule `s9`: `schedule.created` must come first",
        ),
        (
            "watcher.suppressed",
            json!({ "watcher_id": "w9", "tick": 1 }),
            "there is no watcher `w9`: `watcher.registered` must come first",
        ),
        (
            "rule.hit",
            json!({ "rule_id": "r9", "evaluation": 1 }),
            "there is no rule `r9`: `rule.created` must come first",
        ),
        (
            "integration.call_failed",
            json!({ "integration_id": "i9", "error": "timeout" }),
            "there is no integration `i9`: `integration.connected` must come first",
        ),
        (
            "alarm.resolved",
            json!({ "alarm_id": "x9" }),
            "there is no alarm `x9`: `alarm.raised` must come first",
        ),
        (
            "audit.recorded",
            json!({ "actor": "kim", "action": "rule.switch", "rule_id": "r9", "enabled": true }),
            "there is no rule `r9`: `rule.created` must come first",
        ),
    ] {
        refused(event_type, data, message);
    }
}

#[test]
fn a_payload_that_does_not_fit_names_the_field() {
    for (event_type, data, message) in [
        (
            "task.started",
            json!({ "task_id": "t1" }),
            "missing field `agent_id`",
        ),
        (
            "task.paused",
            json!({ "task_id": "t1", "next_wake_time": "soon" }),
            "does not fit",
        ),
        (
            "integration.health_changed",
            json!({ "integration_id": "i1", "health": "poorly" }),
            "unknown variant `poorly`, expected one of `healthy`, `degraded`, `down`",
        ),
        (
            "queue.depth_changed",
            json!({ "pool": "p", "runnable_tasks": -1 }),
            "invalid value: integer `-1`, expected u32",
        ),
        (
            "autonomy.level_changed",
            json!({ "agent_id": "a1", "change_no": 0, "level": "full" }),
            "expected a nonzero u32",
        ),
        (
            "audit.recorded",
            json!({ "actor": "kim", "action": "rule.switch", "enabled": true }),
            "missing field `rule_id`",
        ),
    ] {
        refused(event_type, data, message);
    }
    given([event("alarm.raised").raw("{")])
        .when(autonomy)
        .then_failure(0, "the payload of `alarm.raised` does not fit");
}

#[test]
fn a_measurement_must_measure_something() {
    refused(
        "queue.depth_changed",
        json!({ "pool": "p", "depth": 4 }),
        "the depths of pool `p` are missing",
    );
}

#[test]
fn nobody_can_answer_what_has_expired() {
    refused(
        "approval.requested",
        json!({ "approval_id": "q1", "agent_id": "a1", "action": "refund", "expires_at": time(0) }),
        "before anybody can answer",
    );
}

#[test]
fn two_agents_cannot_have_one_task() {
    let started = |minute, agent: &str| {
        let data = json!({ "task_id": "t1", "agent_id": agent, "name": "invoices" });
        at(minute, "task.started", data)
    };
    given([started(0, "a1"), started(0, "a1"), started(1, "a2")])
        .when(autonomy)
        .then_failure(
            2,
            "task `t1` cannot be started: agent `a1` has had it since",
        );
}

#[test]
fn of_two_who_change_a_level_at_once_the_second_fails() {
    let change = |minute, change_no: u32, level: &str| {
        let data = json!({ "agent_id": "a1", "change_no": change_no, "level": level });
        at(minute, "autonomy.level_changed", data)
    };
    given([
        change(0, 1, "full"),
        change(1, 2, "manual"),
        change(2, 2, "supervised"),
    ])
    .when(autonomy)
    .then_failure(2, "change 2 of the level of agent `a1` was made at");
    given([change(0, 1, "full"), change(1, 3, "manual")])
        .when(autonomy)
        .then_failure(
            1,
            "change 3 of the level of agent `a1` comes without change 2",
        );
}

//! What the runtime tells: tasks, schedules, watchers, rules, integrations and
//! queues.

use super::*;
use crate::words::TaskStatus;

fn started(minute: u32) -> GivenEvent {
    at(
        minute,
        "task.started",
        json!({ "task_id": "t1", "agent_id": "a1", "name": "invoices" }),
    )
}

fn task() -> ActiveTask {
    ActiveTask {
        task_id: "t1".into(),
        agent_id: "a1".into(),
        name: "invoices".into(),
        status: TaskStatus::Running,
        step: None,
        pause_reason: None,
        next_wake_time: None,
        started_at: moment(0),
        updated_at: moment(0),
    }
}

#[test]
fn a_task_pauses_and_goes_on() {
    let step = json!({ "task_id": "t1", "step": "fetch" });
    let pause = json!({ "task_id": "t1", "reason": "rate limit", "next_wake_time": time(9) });
    let to_the_pause = [
        started(0),
        at(1, "task.step_started", step),
        at(2, "task.paused", pause),
    ];
    given(to_the_pause.clone())
        .when(autonomy)
        .then([ActiveTask {
            status: TaskStatus::Paused,
            step: Some("fetch".into()),
            pause_reason: Some("rate limit".into()),
            next_wake_time: Some(moment(9)),
            updated_at: moment(2),
            ..task()
        }]);
    let resumed = at(3, "task.resumed", json!({ "task_id": "t1" }));
    given(to_the_pause.into_iter().chain([resumed]))
        .when(autonomy)
        .then([ActiveTask {
            step: Some("fetch".into()),
            updated_at: moment(3),
            ..task()
        }]);
}

#[test]
fn a_task_that_ended_is_not_active_however_it_ended() {
    for end in ["task.completed", "task.failed", "task.cancelled"] {
        let ended = at(1, end, json!({ "task_id": "t1" }));
        given([started(0), ended.clone(), ended])
            .when(autonomy)
            .then::<ActiveTask>([]);
    }
}

#[test]
fn unknown_fields_are_passed_over_and_missing_ones_are_null() {
    let started = at(
        0,
        "task.started",
        json!({ "task_id": "t1", "agent_id": "a1", "name": "invoices", "priority": 3 }),
    );
    let paused = at(1, "task.paused", json!({ "task_id": "t1" }));
    given([started, paused]).when(autonomy).then([ActiveTask {
        status: TaskStatus::Paused,
        updated_at: moment(1),
        ..task()
    }]);
}

#[test]
fn a_missed_run_counts_once() {
    let created = json!({ "schedule_id": "s1", "name": "report", "cron": "0 * * * *" });
    let missed = |minute, due| {
        let data =
            json!({ "schedule_id": "s1", "due_at": time(due), "next_run_at": time(due + 60) });
        at(minute, "schedule.missed", data)
    };
    let ran = json!({ "schedule_id": "s1", "next_run_at": time(240) });
    let schedule = given([
        at(0, "schedule.created", created.clone()),
        missed(61, 60),
        missed(61, 60),
        missed(121, 120),
        at(180, "schedule.ran", ran),
        at(181, "schedule.created", created),
        at(
            182,
            "schedule.changed",
            json!({ "schedule_id": "s1", "cron": "0 12 * * *" }),
        ),
    ])
    .when(autonomy)
    .row(Schedule::key("s1"))
    .unwrap();
    assert_eq!(schedule.missed_runs, 2);
    assert_eq!(schedule.last_missed_due_at, Some(moment(120)));
    assert_eq!(schedule.last_run_at, Some(moment(180)));
    assert_eq!(schedule.next_run_at, Some(moment(240)));
    assert_eq!(schedule.cron, "0 12 * * *");
}

#[test]
fn missed_runs_count_in_whatever_order_they_are_told() {
    let created = json!({ "schedule_id": "s1", "name": "report", "cron": "0 * * * *" });
    let missed = |due| {
        let data = json!({ "schedule_id": "s1", "due_at": time(due), "next_run_at": time(240) });
        at(200, "schedule.missed", data)
    };
    // After a standstill, all at once and the newest first; each told twice.
    let told = [180, 180, 120, 120, 60, 60].map(missed);
    let schedule = given([at(0, "schedule.created", created)].into_iter().chain(told))
        .when(autonomy)
        .row(Schedule::key("s1"))
        .unwrap();
    assert_eq!(schedule.missed_runs, 3);
    assert_eq!(schedule.last_missed_due_at, Some(moment(180)));
}

#[test]
fn a_tick_counts_once() {
    let registered = at(
        0,
        "watcher.registered",
        json!({ "watcher_id": "w1", "name": "inbox" }),
    );
    let tick = |minute, tick| {
        let data = json!({ "watcher_id": "w1", "tick": tick, "outcome": "nothing new" });
        at(minute, "watcher.ticked", data)
    };
    let suppressed = at(
        2,
        "watcher.suppressed",
        json!({ "watcher_id": "w1", "tick": 2 }),
    );
    let watcher = given([
        registered.clone(),
        tick(1, 1),
        suppressed.clone(),
        suppressed,
        tick(1, 1),
        at(3, "watcher.disabled", json!({ "watcher_id": "w1" })),
        registered,
    ])
    .when(autonomy)
    .row(Watcher::key("w1"))
    .unwrap();
    assert_eq!((watcher.last_tick, watcher.suppression_count), (2, 1));
    assert_eq!(watcher.last_outcome.as_deref(), Some("suppressed"));
    assert_eq!(watcher.last_tick_at, Some(moment(2)));
    assert!(!watcher.enabled);
}

#[test]
fn a_rule_counts_its_hits_and_knows_why_it_did_not_hit() {
    let created = at(
        0,
        "rule.created",
        json!({ "rule_id": "r1", "name": "refunds" }),
    );
    let hit = |n| at(n, "rule.hit", json!({ "rule_id": "r1", "evaluation": n }));
    let suppressed = |n, reason| {
        let data = json!({ "rule_id": "r1", "evaluation": n, "reason": reason });
        at(n, "rule.suppressed", data)
    };
    let rule = given([
        created.clone(),
        at(0, "rule.enabled", json!({ "rule_id": "r1" })),
        hit(1),
        hit(1),
        suppressed(2, "quiet hours"),
        hit(3),
        suppressed(1, "told too late to count"),
        created,
    ])
    .when(autonomy)
    .row(Rule::key("r1"))
    .unwrap();
    assert!(rule.enabled);
    assert_eq!((rule.hit_count, rule.last_hit_at), (2, Some(moment(3))));
    assert_eq!(rule.last_suppression_reason.as_deref(), Some("quiet hours"));
}

#[test]
fn an_integration_shows_success_error_and_limit_beside_each_other() {
    let about = |minute, what: &str, more: Value| {
        let mut data = json!({ "integration_id": "mail" });
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        at(minute, &format!("integration.{what}"), data)
    };
    let projected = given([
        about(
            0,
            "connected",
            json!({ "name": "Mail", "auth_status": "valid" }),
        ),
        about(1, "call_succeeded", json!({})),
        about(
            2,
            "call_failed",
            json!({ "error": "429 too many requests" }),
        ),
        about(
            2,
            "rate_limit_changed",
            json!({ "remaining": 0, "resets_at": time(60) }),
        ),
        about(3, "health_changed", json!({ "health": "degraded" })),
        about(4, "auth_changed", json!({ "auth_status": "expiring" })),
    ])
    .when(autonomy);
    assert_eq!(
        only_row(&projected, "integrations"),
        json!({
            "tenant": "", "integration_id": "mail", "name": "Mail", "health": "degraded",
            "auth_status": "expiring", "last_success_at": time(1),
            "last_error": "429 too many requests", "last_error_at": time(2),
            "rate_limit_state": "limited", "rate_limit_remaining": 0,
            "rate_limit_resets_at": time(60), "updated_at": time(4),
        })
    );
}

#[test]
fn depths_that_are_not_measured_stay() {
    let measured = |minute, depths: Value| at(minute, "queue.depth_changed", depths);
    given([
        measured(
            0,
            json!({ "pool": "p", "runnable_tasks": 4, "tool_queue_depth": 9 }),
        ),
        measured(
            1,
            json!({ "pool": "p", "schedule_backlog": 2, "runnable_tasks": 0 }),
        ),
    ])
    .when(autonomy)
    .then([QueueDepth {
        pool: "p".into(),
        runnable_tasks: 0,
        schedule_backlog: 2,
        tool_queue_depth: 9,
        measured_at: moment(1),
    }]);
}

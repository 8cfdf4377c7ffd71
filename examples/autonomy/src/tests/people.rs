//! What people are asked, told and do: approvals, alarms, levels and audit.

use super::*;
use crate::words::{AlarmStatus, AuthStatus, Level, Severity};

#[test]
fn an_approval_is_pending_until_it_is_settled() {
    let asked = at(
        0,
        "approval.requested",
        json!({
            "approval_id": "q1", "agent_id": "a1", "task_id": "t1", "action": "refund",
            "context": { "amount_cents": 12_000, "customer": "c9" }, "expires_at": time(60),
        }),
    );
    given([asked.clone()])
        .when(autonomy)
        .then([PendingApproval {
            approval_id: "q1".into(),
            agent_id: "a1".into(),
            task_id: Some("t1".into()),
            action: "refund".into(),
            context: Json(json!({ "amount_cents": 12_000, "customer": "c9" })),
            requested_at: moment(0),
            expires_at: Some(moment(60)),
        }]);
    for word in ["granted", "denied", "expired", "withdrawn"] {
        let settled = at(
            1,
            &format!("approval.{word}"),
            json!({ "approval_id": "q1" }),
        );
        given([asked.clone(), settled.clone(), settled])
            .when(autonomy)
            .then::<PendingApproval>([]);
    }
}

fn raised(minute: u32, severity: &str) -> GivenEvent {
    at(
        minute,
        "alarm.raised",
        json!({ "alarm_id": "x", "severity": severity, "message": "no mail" }),
    )
}

fn alarm() -> Alarm {
    Alarm {
        alarm_id: "x".into(),
        status: AlarmStatus::Open,
        severity: Severity::Warning,
        message: "no mail".into(),
        raised_from: None,
        raised_at: moment(0),
        acked_at: None,
        acked_by: None,
        resolved_at: None,
        updated_at: moment(0),
    }
}

#[test]
fn an_alarm_is_acked_once_and_resolved_once() {
    let about = |minute, what: &str, by: &str| {
        let data = json!({ "alarm_id": "x", "by": by });
        at(minute, &format!("alarm.{what}"), data)
    };
    given([
        raised(0, "warning"),
        about(1, "acked", "kim"),
        about(2, "acked", "lee"),
        about(3, "resolved", "kim"),
        about(4, "resolved", "kim"),
        about(5, "acked", "lee"),
    ])
    .when(autonomy)
    .then([Alarm {
        status: AlarmStatus::Resolved,
        acked_at: Some(moment(1)),
        acked_by: Some("kim".into()),
        resolved_at: Some(moment(3)),
        updated_at: moment(3),
        ..alarm()
    }]);
}

#[test]
fn an_alarm_raised_again_grows_or_opens_anew() {
    given([raised(0, "warning"), raised(1, "critical")])
        .when(autonomy)
        .then([Alarm {
            severity: Severity::Critical,
            updated_at: moment(1),
            ..alarm()
        }]);
    let resolved = at(1, "alarm.resolved", json!({ "alarm_id": "x" }));
    given([raised(0, "info"), resolved, raised(2, "warning")])
        .when(autonomy)
        .then([Alarm {
            raised_at: moment(2),
            updated_at: moment(2),
            ..alarm()
        }]);
}

#[test]
fn an_archived_alarm_is_gone() {
    let archived = at(1, "alarm.archived", json!({ "alarm_id": "x" }));
    given([raised(0, "info"), archived])
        .when(autonomy)
        .then::<Alarm>([]);
}

#[test]
fn an_override_follows_on_the_agents_own_change() {
    given([
        at(
            0,
            "autonomy.level_changed",
            json!({ "agent_id": "a1", "change_no": 1, "level": "full" }),
        ),
        at(
            5,
            "audit.recorded",
            json!({
                "actor": "kim", "action": "autonomy.override", "agent_id": "a1", "change_no": 2,
                "level": "manual", "reason": "strange refunds",
            }),
        ),
    ])
    .when(autonomy)
    .then([
        LevelChange {
            agent_id: "a1".into(),
            change_no: 1,
            level: Level::Full,
            previous_level: None,
            reason: None,
            changed_by: None,
            changed_at: moment(0),
            ended_at: Some(moment(5)),
        },
        LevelChange {
            agent_id: "a1".into(),
            change_no: 2,
            level: Level::Manual,
            previous_level: Some(Level::Full),
            reason: Some("strange refunds".into()),
            changed_by: Some("kim".into()),
            changed_at: moment(5),
            ended_at: None,
        },
    ]);
}

#[test]
fn deeds_by_hand_change_what_they_are_about() {
    let deed = |minute, action: &str, id: &str| {
        at(
            minute,
            "audit.recorded",
            json!({
                "actor": "kim", "action": action, "enabled": true, "rule_id": id,
                "watcher_id": id, "integration_id": id, "approval_id": id, "alarm_id": id,
            }),
        )
    };
    let named = |what: &str, data: Value| at(0, what, data);
    let projected = given([
        named("rule.created", json!({ "rule_id": "x", "name": "r" })),
        named(
            "watcher.registered",
            json!({ "watcher_id": "x", "name": "w", "enabled": false }),
        ),
        named(
            "integration.connected",
            json!({ "integration_id": "x", "name": "i", "auth_status": "revoked" }),
        ),
        named(
            "approval.requested",
            json!({ "approval_id": "x", "agent_id": "a1", "action": "refund" }),
        ),
        raised(0, "info"),
        deed(1, "rule.switch", "x"),
        deed(2, "watcher.switch", "x"),
        deed(3, "integration.reauthorize", "x"),
        deed(4, "approval.dismiss", "x"),
        deed(5, "alarm.ack", "x"),
        deed(6, "login", "x"),
    ])
    .when(autonomy);
    let rule = projected.row(Rule::key("x")).unwrap();
    assert_eq!((rule.enabled, rule.switched_by), (true, Some("kim".into())));
    let watcher = projected.row(Watcher::key("x")).unwrap();
    assert_eq!(
        (watcher.enabled, watcher.switched_by),
        (true, Some("kim".into()))
    );
    let integration = projected.row(Integration::key("x")).unwrap();
    assert_eq!(integration.auth_status, AuthStatus::Valid);
    assert_eq!(projected.row(PendingApproval::key("x")), None);
    let alarm = projected.row(Alarm::key("x")).unwrap();
    assert_eq!(
        (alarm.status, alarm.acked_by),
        (AlarmStatus::Acked, Some("kim".into()))
    );
}

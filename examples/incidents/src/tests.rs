//! Given these events, then these rows.

use lantern_sdk::testing::{GivenEvent, event, events_from_json_lines, given, json};

use super::*;

#[test]
fn an_incident_is_handed_from_group_to_group() {
    given([
        step(
            "incident.queued",
            "i1",
            "desk",
            "Queued",
            "Awaiting Assignment",
            "2026-02-01T08:00:00Z",
        ),
        step(
            "incident.accepted",
            "i1",
            "desk",
            "Accepted",
            "In Progress",
            "2026-02-01T08:10:00Z",
        ),
        step(
            "incident.accepted",
            "i1",
            "network",
            "Accepted",
            "Assigned",
            "2026-02-01T09:00:00Z",
        ),
        step(
            "incident.completed",
            "i1",
            "desk",
            "Completed",
            "Closed",
            "2026-02-02T10:00:00Z",
        ),
    ])
    .when(incidents)
    .then([IncidentSummary {
        incident_id: "incident-i1".into(),
        tenant: Some("nl".into()),
        status: "Completed".into(),
        substatus: "Closed".into(),
        event_count: 4,
        handoffs: 2,
        org_group: "desk".into(),
        product: "printer".into(),
        impact: "Low".into(),
        opened_at: "2026-02-01T08:00:00Z".parse().unwrap(),
        updated_at: "2026-02-02T10:00:00Z".parse().unwrap(),
    }])
    .then([ProductLoad {
        product: "printer".into(),
        incidents: 1,
    }]);
}

#[test]
fn each_incident_counts_once_for_its_product() {
    let queued = |case| {
        step(
            "incident.queued",
            case,
            "desk",
            "Queued",
            "Awaiting Assignment",
            "2026-02-01T08:00:00Z",
        )
    };
    given([queued("i1"), queued("i2"), queued("i1")])
        .when(incidents)
        .then([ProductLoad {
            product: "printer".into(),
            incidents: 2,
        }]);
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(incidents);
    let read = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        projected.json("incident_summaries"),
        read(include_str!("../expected/incident_summaries.json"))
    );
    assert_eq!(
        projected.json("product_load"),
        read(include_str!("../expected/product_load.json"))
    );
}

fn step(
    event_type: &str,
    case: &str,
    org_group: &str,
    concept_name: &str,
    lifecycle_transition: &str,
    time: &str,
) -> GivenEvent {
    event(event_type)
        .stream(format!("incident-{case}"))
        .tenant("nl")
        .time(time)
        .data(json!({
            "org_group": org_group,
            "concept_name": concept_name,
            "lifecycle_transition": lifecycle_transition,
            "product": "printer",
            "impact": "Low",
        }))
}

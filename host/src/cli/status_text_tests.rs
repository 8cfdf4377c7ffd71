//! How a status looks to a person.

use super::*;
use crate::model::{
    Digest, FailureClass, GenerationId, Position, ProjectorName, Timestamp, WaitingCount,
    WantedState,
};

#[test]
fn the_table_shows_state_lag_and_the_rebuild() {
    let status = Status {
        projectors: vec![projector()],
        ..nothing()
    };
    assert_eq!(
        status_text(&status),
        "host  never started here; `lantern run` starts one\n\
         log   position 20,000\n\
         \n\
         PROJECTOR  VERSION  STATE        POSITION     LAG    RATE  BUILDING                                 ROLLBACK TO\n\
         orders     1.0.0    catching up     8,000  12,000  1.5k/s  2.0.0 catching up, 25%, 500/s, 30s left\n"
    );
}

#[test]
fn what_was_rewound_says_so_and_how_to_go_on() {
    let mut rewound = projector();
    rewound.rewound_to = Some(Position(8_000));
    rewound.building = rewound.building.map(|building| BuildingStatus {
        of: Some("tenant `a`".into()),
        ..building
    });
    let text = status_text(&Status {
        projectors: vec![rewound],
        ..nothing()
    });
    for part in [
        "orders is rewound to position 8,000 and stands there",
        "`lantern resume orders` goes on",
        "tenant `a`: 2.0.0 catching up",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn failures_and_refused_files_stand_below_with_the_next_step() {
    let failure = Failure {
        class: FailureClass::Projector,
        cause: "the projector trapped\nwasm `unreachable`".into(),
        next_step: "mend it and put it into the folder".into(),
        at: Timestamp(0),
        digest: Some(Digest("0123456789abcdef".into())),
        position: Some(Position(7)),
        event_type: Some("order.created".into()),
        stream: Some("order-1".into()),
    };
    let projector = ProjectorStatus {
        failure: Some(failure),
        building: None,
        ..projector()
    };
    let refused = RefusedFile {
        file: "bad.wasm".into(),
        reason: "no component".into(),
        at: Timestamp(0),
    };
    let text = status_text(&Status {
        projectors: vec![projector],
        refused: vec![refused],
        ..nothing()
    });
    assert!(
        text.ends_with(
            "\norders failed: the projector trapped\n             wasm `unreachable` (event 7, type order.created, stream order-1)\n  \
             at         1970-01-01T00:00:00.000Z\n  component  0123456789ab\n  \
             next step  mend it and put it into the folder\n\
             \nbad.wasm refused: no component\n  at         1970-01-01T00:00:00.000Z\n"
        ),
        "{text}"
    );
}

#[test]
fn gaps_other_hosts_and_what_holds_the_log_back_are_told() {
    let host = |name: &str| HostStatus {
        host: name.into(),
        instance: name.into(),
        pid: 7,
        started_at: Timestamp(0),
        heartbeat_at: Timestamp(0),
        running: true,
        connections: vec![crate::operations::Usage {
            database: "db:5432/shop".into(),
            in_use: 1,
            open: 3,
            budget: 10,
        }],
    };
    let gap = crate::model::PassedGap {
        from: Position(7),
        to: Position(9),
        seen_at: Timestamp(0),
        passed_at: Timestamp(0),
        proof: "no writer is left".into(),
    };
    let text = status_text(&Status {
        host: Some(host("here")),
        hosts: vec![host("here"), host("there")],
        held_back: Some("position 12 is missing".into()),
        gaps: GapsStatus {
            passed: 3,
            latest: vec![gap],
        },
        ..nothing()
    });
    let at = "1970-01-01T00:00:00.000Z";
    let running =
        format!("running (process 7, since {at}, 3 of 10 connections to db:5432/shop open)");
    let expected = format!(
        "host  {running}\nhost  there {running}\nlog   position 20,000\n      position 12 is missing\n\
         gaps  3 passed, the latest 7 to 9 at {at} (no writer is left)\n\n"
    );
    assert!(text.starts_with(&expected), "{text}");
}

#[test]
fn updates_and_ignored_commands_stand_below_the_table() {
    let scheduled = ProjectorStatus {
        update: "scheduled, `0 2 * * *` UTC".into(),
        next_run_at: Some(Timestamp(0)),
        ..projector()
    };
    let guarded = ProjectorStatus {
        ignored: 1_200,
        repeated: 1,
        waiting: WaitingCount {
            events: 2,
            oldest: Some(Position(1_042)),
        },
        ignored_since: Some(Timestamp(0)),
        ..projector()
    };
    let text = status_text(&Status {
        projectors: vec![scheduled, guarded],
        ..nothing()
    });
    let at = "1970-01-01T00:00:00.000Z";
    let expected = format!(
        "\n\norders is scheduled, `0 2 * * *` UTC; next run at {at}\n\
         orders has ignored 1,200 commands since {at}, as their rows were as new or newer\n\
         orders has left out 1 event since {at}, as their entities had come to these versions \
         before\n\
         orders holds back 2 events until earlier versions of their entities come; the oldest is \
         at position 1,042\n"
    );
    assert!(text.ends_with(&expected), "{text}");
}

#[test]
fn nothing_yet_says_how_to_begin() {
    assert!(status_text(&nothing()).contains("no projectors yet"));
}

fn nothing() -> Status {
    Status {
        head: Checkpoint::at(Position(20_000)),
        host: None,
        hosts: vec![],
        held_back: None,
        gaps: GapsStatus {
            passed: 0,
            latest: vec![],
        },
        projectors: vec![],
        refused: vec![],
    }
}

fn projector() -> ProjectorStatus {
    ProjectorStatus {
        name: ProjectorName::new("orders").unwrap(),
        version: "1.0.0".into(),
        digest: Digest("00".into()),
        state: "catching up".into(),
        wanted: WantedState::Running,
        checkpoint: Checkpoint::at(Position(8_000)),
        lag: 12_000,
        events_per_second: 1_500.0,
        file: None,
        tables: vec!["orders".into()],
        failure: None,
        dead_letters: 0,
        waiting: WaitingCount::default(),
        trouble: None,
        update: "immediate".into(),
        next_run_at: None,
        ignored: 0,
        repeated: 0,
        ignored_since: None,
        building: Some(BuildingStatus {
            generation: GenerationId(2),
            version: "2.0.0".into(),
            digest: Digest("01".into()),
            of: None,
            checkpoint: Checkpoint::at(Position(5_000)),
            lag: 15_000,
            events_per_second: 500.0,
            phase: "catching up".into(),
            failure: None,
            dead_letters: 0,
            waiting: WaitingCount::default(),
            trouble: None,
            seconds_left: Some(30.0),
        }),
        rewound_to: None,
        can_roll_back_to: None,
        last_cycle_at: None,
        live_at: None,
    }
}

//! Back to where the rows once stood, and what that would cost.

use serde_json::{Value, json};

use crate::harness::{Chance, Events, Store, TestHost, on_each_store, told};

on_each_store![
    a_rewind_shows_the_rows_as_of_a_position_and_stands_there,
    a_rewind_without_a_host_does_the_work_itself_and_nothing_more,
    a_rewind_is_rolled_back_like_any_rebuild,
    a_rewind_to_a_time_ends_at_the_last_event_in_the_log_that_happened_by_then,
    what_cannot_be_rewound_says_why,
    a_dry_run_counts_and_changes_nothing,
    a_killed_rewind_shows_the_former_rows_or_those_of_its_position,
];

const COUNTED: &str = "SELECT coalesce(sum(events), 0) FROM counters";
const ALL: &str = "SELECT name, total, events FROM counters ORDER BY name";

fn a_rewind_shows_the_rows_as_of_a_position_and_stands_there(store: Store) {
    let mut host = caught_up(store);
    host.start();
    host.until_state("counter", "live");
    let said = host.command(&["rewind", "counter", "--to-position", "23", "--wait"]);
    assert!(
        said.clone().ok().out.contains("as of position 23"),
        "{}",
        said.out
    );
    assert_eq!(rows(&host), as_of(23));
    let status = host.projector_status("counter");
    assert_eq!(status["state"], "paused", "{status:#}");
    assert_eq!(status["rewound_to"], 23, "{status:#}");
    let text = host.command(&["status"]).ok().out;
    assert!(text.contains("counter is rewound to position 23"), "{text}");

    // Neither new events nor a restart take it on.
    host.append(&Events::from(51).increased("counter-0", 1));
    host.stop();
    host.start();
    host.wait_for_two_heartbeats();
    assert_eq!(rows(&host), as_of(23));

    // Once more, from where it stands.
    host.command(&["rewind", "counter", "--to-position", "7", "--wait"])
        .ok();
    assert_eq!(rows(&host), as_of(7));

    host.command(&["resume", "counter"]).ok();
    host.until_number(COUNTED, 51);
    let wrong = "SELECT count(*) FROM counters WHERE total <> events";
    assert_eq!(host.number(wrong), Some(0), "nothing was counted twice");
    assert!(host.projector_status("counter")["rewound_to"].is_null());
    host.stop();
}

fn a_rewind_without_a_host_does_the_work_itself_and_nothing_more(store: Store) {
    let host = caught_up(store);
    host.append(&Events::from(51).increased("counter-0", 1));
    host.command(&["rewind", "counter", "--to-position", "0", "--wait"])
        .ok();
    assert_eq!(rows(&host), json!([]), "before the first event");
    host.run_until_caught_up();
    assert_eq!(rows(&host), json!([]), "it stands still");
    host.command(&["resume", "counter"]).ok();
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(51));
}

fn a_rewind_is_rolled_back_like_any_rebuild(store: Store) {
    let host = caught_up(store);
    host.command(&["rewind", "counter", "--to-position", "10", "--wait"])
        .ok();
    assert_eq!(rows(&host), as_of(10));
    let said = host.command(&["rollback", "counter"]).ok();
    assert!(said.out.contains("counter is paused"), "{}", said.out);
    assert_eq!(rows(&host), as_of(50));
    host.append(&Events::from(51).increased("counter-0", 1));
    host.command(&["resume", "counter"]).ok();
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(51));
}

fn a_rewind_to_a_time_ends_at_the_last_event_in_the_log_that_happened_by_then(store: Store) {
    let host = TestHost::on(store);
    // The third came late: it happened before the second.
    for (id, second) in [(1, 10), (2, 40), (3, 20), (4, 50)] {
        host.append(&Events::new().line(&event(id, second)));
    }
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    let to = |second: u64| {
        let time = format!("2026-01-01T00:00:{second:02}Z");
        let said = host.command(&[
            "rewind",
            "counter",
            "--to-time",
            &time,
            "--dry-run",
            "--json",
        ]);
        said.ok().json()["to"].clone()
    };
    assert_eq!(to(10), 1, "at that time is by that time");
    assert_eq!(to(19), 1);
    assert_eq!(to(20), 3, "in the order of the log");
    assert_eq!(to(40), 3);
    assert_eq!(to(49), 3);
    let time = "2026-01-01T01:00:30+01:00";
    host.command(&["rewind", "counter", "--to-time", time, "--wait"])
        .ok();
    assert_eq!(host.number(COUNTED), Some(3));
    let early = ["rewind", "counter", "--to-time", "2025-12-31T00:00:00Z"];
    let said = host.command(&early).ended_with(1);
    assert!(said.err.contains("no event"), "{}", said.err);
    assert!(said.err.contains("--to-position 0"), "{}", said.err);
    let said = host
        .command(&["rewind", "counter", "--to-time", "yesterday"])
        .ended_with(2);
    assert!(said.err.contains("RFC 3339"), "{}", said.err);
}

fn what_cannot_be_rewound_says_why(store: Store) {
    let host = caught_up(store);
    for position in ["50", "51"] {
        let said = host.command(&["rewind", "counter", "--to-position", position]);
        let said = said.ended_with(1);
        let reason = format!("stands at position 50, which is not behind {position}");
        assert!(said.err.contains(&reason), "{}", said.err);
        assert!(said.err.contains("a rewind goes back"), "{}", said.err);
    }
    let said = host
        .command(&["rewind", "counters", "--to-position", "1"])
        .ended_with(1);
    assert!(said.err.contains("there are: counter"), "{}", said.err);
    host.command(&["rewind", "counter"]).ended_with(2);
    // What is being rebuilt would be lost.
    host.command(&["rebuild", "counter"]).ok();
    let said = host
        .command(&["rewind", "counter", "--to-position", "1"])
        .ended_with(1);
    assert!(said.err.contains("is being rebuilt"), "{}", said.err);
    host.run_until_caught_up();
    assert_eq!(rows(&host), as_of(50));
}

fn a_dry_run_counts_and_changes_nothing(store: Store) {
    let host = caught_up(store);
    // Of a type that the projector does not want.
    let other = event(51, 1).replace("counter.increased", "counter.renamed");
    host.append(&Events::new().line(&other));
    let before = host.status();
    let estimate = |arguments: &[&str]| {
        let arguments = [arguments, &["--dry-run", "--json"]].concat();
        host.command(&arguments).ok().json()
    };
    let all = estimate(&["rebuild", "counter"]);
    assert_eq!(all["events"], 50, "{all:#}");
    assert_eq!(all["to"], 51, "{all:#}");
    assert_eq!(all["rows"], 5, "{all:#}");
    assert_eq!(all["measured_events"], 50, "by its own fill: {all:#}");
    let (seconds, speed) = (number(&all["seconds"]), number(&all["events_per_second"]));
    assert!((seconds * speed - 50.0).abs() < 0.01, "{all:#}");
    assert!(number(&all["bytes"]) > 1_000.0, "{all:#}");
    let back = estimate(&["rewind", "counter", "--to-position", "20"]);
    assert_eq!(
        (&back["events"], &back["to"]),
        (&json!(20), &json!(20)),
        "{back:#}"
    );
    let text = host.command(&["rebuild", "counter", "--dry-run"]).ok().out;
    for part in [
        "would read 50 events",
        "time   about",
        "space  about",
        "nothing was changed",
    ] {
        assert!(text.contains(part), "{text}");
    }
    // What could not be done is not estimated.
    host.command(&["rewind", "counter", "--to-position", "99", "--dry-run"])
        .ended_with(1);
    let generations = "SELECT count(*) FROM lantern_generations";
    assert_eq!(host.number(generations), Some(1));
    assert_eq!(host.status()["projectors"], before["projectors"]);
}

fn a_killed_rewind_shows_the_former_rows_or_those_of_its_position(store: Store) {
    let mut chance = Chance::new();
    let mut host = TestHost::on(store);
    host.append(&Events::new().interleaved(30_000, 50));
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    let (mut former, mut done) = (0, 0);
    for round in 0..8_u64 {
        let position = 28_000 - round * 500;
        let before = host.number(COUNTED);
        let to = position.to_string();
        host.command(&["rewind", "counter", "--to-position", &to])
            .ok();
        host.start_with(&["--set", "batch.events=50"]);
        std::thread::sleep(chance.time(20..400));
        host.kill();
        let now = host.number(COUNTED);
        let position = i64::try_from(position).unwrap();
        assert!(
            now == before || now == Some(position),
            "{now:?} of {before:?}"
        );
        match now == before {
            true => former += 1,
            false => done += 1,
        }
        host.run_until_caught_up();
        assert_eq!(
            host.number(COUNTED),
            Some(position),
            "and is done after all"
        );
    }
    told(
        &format!("rewind::a_killed_rewind::{}", store.name()),
        &format!(
            "{former} kills before, {done} after (seed {})",
            chance.seed()
        ),
    );
}

/// Fifty events over five counters, projected by a host that has gone.
fn caught_up(store: Store) -> TestHost {
    let host = TestHost::on(store);
    host.append(&Events::new().interleaved(50, 5));
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    host
}

fn rows(host: &TestHost) -> Value {
    json!(host.reader().rows(ALL).unwrap())
}

/// The rows after so many of the fifty events, counted without Lantern.
fn as_of(position: u64) -> Value {
    let counters = (0..5_u64).map(|i| {
        let events = (position + 4 - i) / 5;
        (events > 0).then(|| json!([format!("counter-{i}"), events, events]))
    });
    counters.flatten().collect()
}

fn event(id: u64, second: u64) -> String {
    json!({
        "specversion": "1.0", "id": format!("at-{id}"), "source": "/tests",
        "type": "counter.increased", "subject": "counter-0", "tenant": "eu",
        "time": format!("2026-01-01T00:00:{second:02}Z"), "data": { "by": 1 },
    })
    .to_string()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

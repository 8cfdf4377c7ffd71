//! Strict order: an event waits until the earlier versions of its entity have come,
//! over restarts and kills, and then follows them at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Chance, Events, Store, TestHost, assert_rows, on_each_store, told};

on_each_store![
    a_version_that_leaves_a_hole_waits_for_what_is_missing,
    kills_lose_and_double_nothing_that_waits,
    too_many_that_wait_stop_the_projector,
    what_is_released_follows_without_what_is_missing,
    an_event_that_has_waited_and_fails_is_named,
    a_dead_letter_holds_its_entity_until_it_is_settled,
    a_version_that_cannot_be_is_a_failure_of_its_event,
];

fn a_version_that_leaves_a_hole_waits_for_what_is_missing(store: Store) {
    let mut host = ordered(store, "");
    let mut log = Log::default();
    log.push("a", 1, json!({"add": 1}));
    log.push("a", 3, json!({"note": "three"}));
    log.push("b", 1, json!({"add": 5}));
    log.push("a", 4, json!({"add": 10}));
    log.push("a", 3, json!({"note": "repeated"}));
    log.append(&host);
    let waited = host.command(&["wait", "sums", "--head", "--timeout", "90s"]);
    let waited = waited.ok();
    assert!(
        waited
            .err
            .contains("but not 2 events, the first at position 2"),
        "{}",
        waited.err
    );
    let first =
        json!([{"name": "a", "total": 1, "note": null}, {"name": "b", "total": 5, "note": null}]);
    assert_rows("sums", &sums(&host), &first);
    host.until("the repetition is told", || {
        host.projector_status("sums")["repeated"] == 1
    });
    let told = host.command(&["status"]).ok().out;
    assert!(
        told.contains("sums has left out 1 event since")
            && told.contains("sums holds back 2 events")
            && told.contains("the oldest is at position 2"),
        "{told}"
    );
    let waiting = host.projector_status("sums")["waiting"].clone();
    assert_eq!(waiting, json!({"events": 2, "oldest": 2}));

    // They wait over a restart, and readers see nothing of how.
    host.stop();
    host.start();
    log.push("a", 2, json!({"note": "two", "add": 100}));
    log.push("a", 2, json!({"add": 1000}));
    log.append(&host);
    host.until("what waited has followed", || waits(&host) == 0);
    let last = json!([{"name": "a", "total": 111, "note": "three"}, {"name": "b", "total": 5, "note": null}]);
    assert_rows("sums", &sums(&host), &last);
    let said = host.command(&["query", "lantern_versions"]);
    assert!(said.ended_with(1).err.contains("lantern_versions"));
    host.stop();
}

/// A log of many entities, shuffled, with repetitions; killed again and again.
fn kills_lose_and_double_nothing_that_waits(store: Store) {
    let settings = "batch.events = 50\ncommit.rows = 1\ncommit.interval_ms = 1";
    let mut host = TestHost::on_with(store, settings);
    host.install("sums", "sums.wasm");
    let mut chance = Chance::new();
    let (mut log, expected) = shuffled(&mut chance);
    log.append(&host);
    for _ in 0..8 {
        host.start();
        std::thread::sleep(chance.time(50..400));
        host.kill();
    }
    host.start();
    host.command(&["wait", "sums", "--head", "--timeout", "90s"])
        .ok();
    assert_rows("sums", &sums(&host), &expected);
    assert_eq!(waits(&host), 0);
    let live = "SELECT max(id) FROM lantern_generations";
    let before = host.number(live);
    host.command(&["rebuild", "sums", "--wait"]).ok();
    assert_ne!(host.number(live), before);
    assert_rows("sums", &sums(&host), &expected);
    told("strict_order::kills", &format!("seed {}", chance.seed()));
    host.stop();
}

fn too_many_that_wait_stop_the_projector(store: Store) {
    let mut host = ordered(store, "projectors.sums.order.most_waiting = 2");
    let mut log = Log::default();
    log.push("a", 1, json!({"add": 1}));
    log.push("a", 3, json!({"add": 1}));
    log.append(&host);
    host.until("one waits", || waits(&host) == 1);
    log.push("a", 4, json!({"add": 1}));
    log.push("b", 2, json!({"add": 1}));
    log.append(&host);
    host.until_state("sums", "failed");
    let failure = host.projector_status("sums")["failure"].clone();
    let cause = failure["cause"].as_str().unwrap_or_default();
    assert!(
        cause.contains("3 events would wait")
            && cause.contains("order.most_waiting allows (2)")
            && cause.contains("version 3 of entity `a` of tenant `eu`, at position 2")
            && cause.contains("version 2 has not come"),
        "{cause}"
    );
    assert_eq!(failure["class"], "event");
    host.stop();
    host.write_settings("order.most_waiting = 3");
    host.start();
    host.command(&["resume", "sums"]).ok();
    host.until("three wait", || waits(&host) == 3);
    log.push("a", 2, json!({"add": 1}));
    log.append(&host);
    host.until_number("SELECT total FROM sums WHERE name = 'a'", 4);
    assert_eq!(waits(&host), 1);
    host.stop();
}

fn what_is_released_follows_without_what_is_missing(store: Store) {
    let mut host = ordered(store, "order.most_waiting = 3");
    let mut log = Log::default();
    log.push("a", 3, json!({"add": 1}));
    log.push("a", 5, json!({"add": 10}));
    log.push("b", 2, json!({"add": 1}));
    log.append(&host);
    host.until("three wait", || waits(&host) == 3);
    log.push("a", 6, json!({"add": 100}));
    log.append(&host);
    host.until_state("sums", "failed");
    let said = host.command(&["order", "release", "sums", "--entity", "c"]);
    assert!(said.ended_with(1).err.contains("entity `c`"));
    let listed = host.command(&["order", "list", "sums", "--json"]).ok();
    let listed = listed.json();
    let of = |name: &str| -> Vec<Value> {
        let events = listed.as_array().into_iter().flatten();
        events.map(|event| event[name].clone()).collect()
    };
    assert_eq!(of("version"), [3, 5, 2]);
    assert_eq!(of("entity"), ["a", "a", "b"]);
    let release = [
        "order", "release", "sums", "--entity", "a", "--tenant", "eu",
    ];
    let said = host.command(&release).ok().out;
    assert!(said.contains("2 events"), "{said}");
    host.command(&["resume", "sums"]).ok();
    // The one that is next by now follows as well; what comes too late is left out.
    host.until_number("SELECT total FROM sums WHERE name = 'a'", 111);
    assert_eq!(waits(&host), 1, "the other entity waits on");
    log.push("a", 4, json!({"add": 1000}));
    log.push("a", 7, json!({"add": 5}));
    log.append(&host);
    host.until_number("SELECT total FROM sums WHERE name = 'a'", 116);
    host.stop();
}

fn an_event_that_has_waited_and_fails_is_named(store: Store) {
    let mut host = ordered(store, "");
    let mut log = Log::default();
    log.push("a", 2, json!({"add": 1}));
    log.push("a", 3, json!({"poison": true}));
    log.push("a", 4, json!({"add": 1}));
    log.append(&host);
    host.until("three wait", || waits(&host) == 3);
    log.push("b", 1, json!({"add": 1}));
    log.push("a", 1, json!({"add": 1}));
    log.append(&host);
    host.until_state("sums", "failed");
    let failure = host.projector_status("sums")["failure"].clone();
    assert_eq!(failure["position"], 2, "{failure}");
    assert_eq!(failure["stream"], "s-2");
    assert_eq!(
        host.number("SELECT total FROM sums WHERE name = 'b'"),
        Some(1),
        "its neighbour is applied"
    );
    // A component of the same version goes on from where it stands.
    host.install("sums_fixed", "sums.wasm");
    host.until_number("SELECT total FROM sums WHERE name = 'a'", 3);
    assert_eq!(waits(&host), 0);
    host.stop();
}

fn a_dead_letter_holds_its_entity_until_it_is_settled(store: Store) {
    let mut host = ordered(
        store,
        "projectors.sums.failure.live = \"quarantine\"\nfailure.live_retries = 0",
    );
    let mut log = Log::default();
    log.push("a", 2, json!({"poison": true}));
    log.push("a", 3, json!({"add": 10}));
    log.push("b", 1, json!({"poison": true}));
    log.push("b", 2, json!({"add": 1}));
    log.append(&host);
    host.until("those behind wait", || {
        (set_aside(&host), waits(&host)) == (1, 3)
    });
    log.push("a", 1, json!({"add": 1}));
    log.append(&host);
    // The one that had waited is set aside when its turn comes, and still holds back
    // what is behind it.
    host.until("it is set aside", || {
        (set_aside(&host), waits(&host)) == (2, 2)
    });
    assert_eq!(
        host.number("SELECT total FROM sums WHERE name = 'a'"),
        Some(1)
    );
    // Given up, it counts as having been there.
    host.command(&["dead-letters", "discard", "sums", "--position", "1"])
        .ok();
    host.until_number("SELECT total FROM sums WHERE name = 'a'", 11);
    assert_eq!((set_aside(&host), waits(&host)), (1, 1));
    // Projected after all, it lets the others follow.
    host.install("sums_fixed", "sums.wasm");
    host.until_number("SELECT total FROM sums WHERE name = 'b'", 1);
    host.until("nothing is left", || {
        (set_aside(&host), waits(&host)) == (0, 0)
    });
    host.stop();
}

fn a_version_that_cannot_be_is_a_failure_of_its_event(store: Store) {
    let mut host = ordered(store, "");
    let mut log = Log::default();
    log.push("a", 1, json!({"add": 1}));
    log.line("entity.changed", json!({"entity": "a", "add": 5}));
    log.push("a", 0, json!({"add": 1}));
    log.append(&host);
    host.until_state("sums", "failed");
    let failure = host.projector_status("sums")["failure"].clone();
    let cause = failure["cause"].as_str().unwrap_or_default();
    assert!(
        cause.contains("$.version is 0, where") && failure["class"] == "event",
        "{failure}"
    );
    assert_eq!(failure["position"], 3);
    assert_eq!(
        host.number("SELECT total FROM sums WHERE name = 'a'"),
        Some(6),
        "one without a version comes as it is"
    );
    host.stop();
}

/// A host that follows with `sums`.
fn ordered(store: Store, settings: &str) -> TestHost {
    let mut host = TestHost::on_with(store, settings);
    host.install("sums", "sums.wasm");
    // Makes the stores: before there are any, nobody can ask.
    host.append(&Events::new()).ok();
    host.start();
    host.until_state("sums", "live");
    host
}

/// Lines to append. Each event has a stream of its own, `s-` and its number.
#[derive(Default)]
struct Log {
    appended: u64,
    lines: Vec<String>,
}

impl Log {
    fn push(&mut self, entity: &str, version: u64, mut data: Value) {
        data["entity"] = entity.into();
        data["version"] = version.into();
        self.line("entity.changed", data);
    }

    fn line(&mut self, event_type: &str, data: Value) {
        let n = self.appended + self.lines.len() as u64 + 1;
        let event = json!({
            "specversion": "1.0",
            "id": format!("event-{n}"),
            "source": "/tests",
            "type": event_type,
            "subject": format!("s-{n}"),
            "tenant": "eu",
            "time": "2026-01-01T00:00:00Z",
            "data": data,
        });
        self.lines.push(event.to_string());
    }

    fn append(&mut self, host: &TestHost) {
        self.appended += self.lines.len() as u64;
        let lines = std::mem::take(&mut self.lines);
        let events = lines
            .iter()
            .fold(Events::new(), |events, line| events.line(line));
        host.append(&events).ok();
    }
}

/// 4,000 events of 60 entities in disorder, and the rows of the ordered log.
fn shuffled(chance: &mut Chance) -> (Log, Value) {
    let mut events = Vec::new();
    let mut rows: BTreeMap<String, (i64, Option<String>)> = BTreeMap::new();
    for entity in 0..60 {
        let entity = format!("e-{entity:02}");
        for version in 1..=50 {
            let data = match chance.number(0..6) {
                0 if version > 1 => json!({"gone": true, "add": 1}),
                1 | 2 => json!({"add": version, "note": format!("at {version}")}),
                _ => json!({"add": version}),
            };
            if data["gone"] == true {
                rows.remove(&entity);
            }
            let row = rows.entry(entity.clone()).or_default();
            row.0 += data["add"].as_i64().unwrap_or_default();
            if let Some(note) = data["note"].as_str() {
                row.1 = Some(note.to_owned());
            }
            // Most come nearly in order, some far too late, a third twice.
            let late = if chance.number(0..10) == 0 {
                4_000
            } else {
                100
            };
            let at = version * 60 + chance.number(0..late);
            events.push((at, entity.clone(), version, data.clone()));
            if chance.number(0..3) == 0 {
                events.push((at + chance.number(0..500), entity.clone(), version, data));
            }
        }
    }
    events.sort_by_key(|(at, ..)| *at);
    let mut log = Log::default();
    for (_, entity, version, data) in events {
        log.push(&entity, version, data);
    }
    let row = |(name, (total, note))| json!({"name": name, "total": total, "note": note});
    (log, rows.into_iter().map(row).collect())
}

fn sums(host: &TestHost) -> Value {
    let all = ["query", "sums", "--order", "name", "--format", "json"];
    host.command(&all).ok().json()
}

fn waits(host: &TestHost) -> i64 {
    let waiting = host.projector_status("sums")["waiting"]["events"].as_i64();
    waiting.unwrap_or(-1)
}

fn set_aside(host: &TestHost) -> i64 {
    let letters = host.projector_status("sums")["dead_letters"].as_i64();
    letters.unwrap_or(-1)
}

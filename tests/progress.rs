//! However failures fall, a worker goes on, or says why it does not: several at once,
//! the last event of the log, what waited in strict order, rows that the database
//! refuses.

use serde_json::{Value, json};

use crate::harness::components::guest;
use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    a_dead_letter_of_a_table_keyed_by_stream_comes_back_to_its_stream,
    rows_that_are_refused_together_are_set_aside_one_by_one,
    the_last_event_of_the_log_is_dealt_with_before_a_swap,
    the_last_event_of_the_log_is_dealt_with_before_a_part_takes_over,
    the_last_event_of_the_log_is_dealt_with_before_a_sleep,
    entities_that_are_released_and_fail_are_each_set_aside,
    a_row_that_is_refused_on_release_is_set_aside_or_stops,
    a_row_that_is_refused_after_a_discard_is_set_aside,
    what_follows_a_discard_is_tried_and_told_if_its_row_is_refused,
    what_waited_and_fails_counts_among_dead_letters,
    new_events_have_their_turn_while_dead_letters_are_settled,
];

const QUARANTINE: &str = "failure.live = \"quarantine\"\nfailure.live_retries = 0";

fn a_dead_letter_of_a_table_keyed_by_stream_comes_back_to_its_stream(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("stream_counter", "stream_counter.wasm");
    // The second is too much for an integer.
    let events = Events::new()
        .increased("s", i64::MAX)
        .increased("s", 1)
        .increased("s", -5);
    host.append(&events);
    host.start();
    host.until("two wait", || letters(&host, "stream_counter").len() == 2);
    let discard = ["dead-letters", "discard", "stream_counter"];
    host.command(&[&discard[..], &["--position", "2"]].concat())
        .ok();
    host.until("none is left", || {
        letters(&host, "stream_counter").is_empty()
    });
    let rows = host
        .reader()
        .rows("SELECT tenant, stream, total FROM stream_counters");
    assert_eq!(json!(rows.unwrap()), json!([["eu", "s", i64::MAX - 5]]));
    host.stop();
}

fn rows_that_are_refused_together_are_set_aside_one_by_one(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("seats", "seats.wasm");
    // The index is there after the first fill.
    host.append(&Events::new().increased("a", 1).increased("b", 2));
    host.run_until_caught_up();
    // The number of each is taken; one has none at all.
    let events = Events::from(3).increased("c", 3).increased("d", 1);
    let broken = json!({
        "specversion": "1.0", "id": "broken", "source": "/tests", "type": "counter.increased",
        "subject": "e", "tenant": "eu", "time": "2026-01-01T00:00:00Z", "data": {},
    });
    host.append(
        &events
            .line(&broken.to_string())
            .increased("f", 2)
            .increased("g", 7),
    );
    host.start();
    host.until_number("SELECT count(*) FROM seats", 4);
    assert_eq!(positions(&host, "seats"), [4, 5, 6]);
    host.stop();
}

fn the_last_event_of_the_log_is_dealt_with_before_a_swap(store: Store) {
    let rebuild = "failure.rebuild = \"quarantine\"";
    let mut host = TestHost::on_with(store, rebuild);
    host.install("picky", "picky.wasm");
    host.append(&Events::new().interleaved(10, 2).poisonous("sick"));
    host.start();
    host.until_state("picky", "failed");
    host.command(&["rebuild", "picky"]).ok();
    host.until("it is not swapped in", || {
        let failure = host.projector_status("picky")["building"]["failure"].clone();
        let cause = failure["cause"].as_str().unwrap_or_default().to_owned();
        cause.contains("1 dead letters, the one that readers see 0")
    });
    host.stop();

    // Where the live generation has set it aside, too, the new one may take over.
    host.write_settings(&format!("{rebuild}\n{QUARANTINE}"));
    host.start();
    host.command(&["resume", "picky"]).ok();
    host.until("it is set aside", || letters(&host, "picky").len() == 1);
    let retired = "SELECT count(*) FROM lantern_generations WHERE state = 'retired'";
    host.command(&["rebuild", "picky"]).ok();
    host.until_number(retired, 1);
    assert_eq!(positions(&host, "picky"), [11]);
    host.stop();
}

fn the_last_event_of_the_log_is_dealt_with_before_a_part_takes_over(store: Store) {
    // It fails at each event of type `probe.poison`.
    const GUEST: &str = "names_the_tenant_in_a_key";
    let settings = format!("{QUARANTINE}\nfailure.rebuild = \"quarantine\"");
    let mut host = TestHost::on_with(store, &settings);
    host.install_bytes(&std::fs::read(guest(GUEST)).unwrap(), "guest.wasm");
    let probe = |n: u64, what: &str| {
        let event = json!({
            "specversion": "1.0", "id": format!("probe-{n}"), "source": "/tests",
            "type": format!("probe.{what}"), "subject": format!("stream-{n}"),
            "tenant": "a", "time": "2026-01-01T00:00:00Z", "data": {},
        });
        Events::new().line(&event.to_string())
    };
    host.append(&probe(1, "seen"));
    host.append(&probe(2, "poison"));
    host.start();
    host.until("it is set aside", || letters(&host, GUEST).len() == 1);
    host.command(&["rebuild", GUEST, "--tenant", "a"]).ok();
    host.until("the part is taken over", || {
        host.projector_status(GUEST)["building"].is_null()
    });
    assert_eq!(positions(&host, GUEST), [2]);
    // The live generation goes on.
    host.append(&probe(3, "seen"));
    host.until_number(&format!("SELECT count(*) FROM {GUEST}"), 2);
    host.stop();
}

fn the_last_event_of_the_log_is_dealt_with_before_a_sleep(store: Store) {
    let batched = "update.strategy = \"batched\"\nupdate.interval_ms = 86400000\n\
                   update.events = 10\nretry.first_ms = 10\nfailure.live = \"quarantine\"";
    let mut host = TestHost::on_with(store, batched);
    host.install("picky", "picky.wasm");
    host.append(&Events::new().interleaved(9, 2).poisonous("sick"));
    host.start();
    host.until("it is set aside", || letters(&host, "picky").len() == 1);
    assert_eq!(letters(&host, "picky")[0]["attempts"], 3);
    host.stop();
}

fn entities_that_are_released_and_fail_are_each_set_aside(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("sums", "sums.wasm");
    // One entity name in two tenants, and another.
    let poison = json!({"poison": true});
    host.append(
        &Events::new()
            .line(&changed(1, "eu", "a", 2, &poison))
            .line(&changed(2, "us", "a", 2, &poison))
            .line(&changed(3, "eu", "b", 2, &json!({"add": 1})))
            .line(&changed(4, "eu", "b", 3, &poison)),
    );
    host.run_until_caught_up();
    for entity in ["a", "b"] {
        host.command(&["order", "release", "sums", "--entity", entity])
            .ok();
    }
    host.start();
    host.until("all is dealt with", || {
        host.projector_status("sums")["waiting"]["events"] == 0
    });
    assert_eq!(positions(&host, "sums"), [1, 2, 4]);
    assert_eq!(host.number("SELECT total FROM sums"), Some(1));
    host.stop();
}

fn a_row_that_is_refused_on_release_is_set_aside_or_stops(store: Store) {
    let mut host = TestHost::on_with(store, "failure.live_retries = 0");
    host.install("ordered_seats", "seats.wasm");
    host.append(
        &Events::new()
            .line(&changed(1, "eu", "a", 1, &json!({"add": 1})))
            .line(&changed(2, "eu", "b", 2, &json!({"add": 2})))
            .line(&changed(3, "eu", "b", 3, &json!({"add": 1})))
            .line(&changed(4, "eu", "b", 4, &json!({"add": 3}))),
    );
    host.run_until_caught_up();
    host.command(&["order", "release", "ordered_seats", "--entity", "b"])
        .ok();
    host.start();
    host.until_state("ordered_seats", "failed");
    let failure = host.projector_status("ordered_seats")["failure"].clone();
    assert_eq!(
        (&failure["position"], &failure["stream"]),
        (&json!(3), &json!("s-3"))
    );
    // What comes before it has followed.
    let of_b = "SELECT number FROM ordered_seats WHERE name = 'b'";
    assert_eq!(host.number(of_b), Some(2));
    host.stop();

    host.write_settings(QUARANTINE);
    host.start();
    host.command(&["resume", "ordered_seats"]).ok();
    host.until("it is set aside", || {
        positions(&host, "ordered_seats") == [3]
    });
    // It holds its entity until it is given up.
    assert_eq!(waits(&host, "ordered_seats"), 1);
    host.command(&["dead-letters", "discard", "ordered_seats", "--all"])
        .ok();
    host.until_number(of_b, 3);
    host.stop();
}

fn a_row_that_is_refused_after_a_discard_is_set_aside(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("ordered_seats", "seats.wasm");
    host.append(
        &Events::new()
            .line(&changed(1, "eu", "a", 1, &json!({"add": 1})))
            .line(&changed(2, "eu", "b", 1, &json!({"poison": true})))
            .line(&changed(3, "eu", "b", 2, &json!({"add": 1})))
            .line(&changed(4, "eu", "b", 3, &json!({"add": 3}))),
    );
    host.start();
    host.until("those behind wait", || {
        letters(&host, "ordered_seats").len() == 1 && waits(&host, "ordered_seats") == 2
    });
    host.command(&["dead-letters", "discard", "ordered_seats", "--all"])
        .ok();
    host.until("the next is set aside", || {
        positions(&host, "ordered_seats") == [3]
    });
    host.command(&["dead-letters", "discard", "ordered_seats", "--all"])
        .ok();
    host.until_number("SELECT number FROM ordered_seats WHERE name = 'b'", 3);
    assert_eq!(positions(&host, "ordered_seats"), [0; 0]);
    host.stop();
}

fn what_follows_a_discard_is_tried_and_told_if_its_row_is_refused(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("seats", "seats.wasm");
    host.append(&Events::new().increased("a", 1));
    host.run_until_caught_up();
    host.start();
    host.append(&Events::from(2).increased("b", 1));
    host.until("it is set aside", || positions(&host, "seats") == [2]);
    host.append(&Events::from(3).increased("b", 1).increased("b", 2));
    host.until("those behind it are, too", || {
        positions(&host, "seats") == [2, 3, 4]
    });
    let discard = ["dead-letters", "discard", "seats", "--position"];
    host.command(&[&discard[..], &["2"]].concat()).ok();
    host.until("the next is tried", || {
        let letters = letters(&host, "seats");
        letters[0]["position"] == 3 && letters[0]["attempts"] == 1
    });
    let cause = letters(&host, "seats")[0]["error"]["cause"].clone();
    assert!(cause.to_string().contains("number"), "{cause}");
    host.command(&[&discard[..], &["3"]].concat()).ok();
    host.until_number("SELECT number FROM seats WHERE name = 'b'", 2);
    host.stop();
}

fn what_waited_and_fails_counts_among_dead_letters(store: Store) {
    let settings = format!("{QUARANTINE}\nfailure.most_dead_letters = 1");
    let mut host = TestHost::on_with(store, &settings);
    host.install("sums", "sums.wasm");
    let poison = json!({"poison": true});
    let add = json!({"add": 1});
    host.append(
        &Events::new()
            .line(&changed(1, "eu", "a", 2, &poison))
            .line(&changed(2, "eu", "b", 2, &poison))
            .line(&changed(3, "eu", "a", 1, &add))
            .line(&changed(4, "eu", "b", 1, &add)),
    );
    host.start();
    host.until_state("sums", "failed");
    let failure = host.projector_status("sums")["failure"].clone();
    let cause = failure["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("more than 1 events"), "{failure}");
    assert_eq!(positions(&host, "sums"), [1]);
    assert_eq!(waits(&host, "sums"), 1);
    host.stop();
}

fn new_events_have_their_turn_while_dead_letters_are_settled(store: Store) {
    const SICK: u64 = 3_000;
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("picky", "picky.wasm");
    let sick =
        |events: Events, count| (0..count).fold(events, |events, _| events.increased("sick", 1));
    host.append(&sick(Events::new().poisonous("sick"), SICK - 1));
    host.start();
    let set_aside = |host: &TestHost| host.projector_status("picky")["dead_letters"].as_u64();
    host.until("all are set aside", || set_aside(&host) == Some(SICK));
    host.install("picky_fixed", "picky.wasm");
    host.until("some are settled", || set_aside(&host) < Some(SICK));
    host.append(&sick(Events::from(SICK + 1).increased("other", 1), 1));
    host.until_number("SELECT events FROM picky_counters WHERE name = 'other'", 1);
    assert_ne!(set_aside(&host), Some(0), "meanwhile they are settled");
    // And it stops at once; the rest is done later, in order.
    host.stop();
    assert_ne!(
        set_aside(&host),
        Some(0),
        "it does not wait for all of them"
    );
    host.start();
    let all = i64::try_from(SICK).unwrap() + 1;
    host.until_number("SELECT events FROM picky_counters WHERE name = 'sick'", all);
    assert_eq!(set_aside(&host), Some(0));
    host.stop();
}

/// An event of an entity, of a stream of its own: `s-` and its number.
fn changed(n: u64, tenant: &str, entity: &str, version: u64, data: &Value) -> String {
    let mut data = data.clone();
    data["entity"] = entity.into();
    data["version"] = version.into();
    let event = json!({
        "specversion": "1.0", "id": format!("event-{n}"), "source": "/tests",
        "type": "entity.changed", "subject": format!("s-{n}"), "tenant": tenant,
        "time": "2026-01-01T00:00:00Z", "data": data,
    });
    event.to_string()
}

fn letters(host: &TestHost, name: &str) -> Vec<Value> {
    if host.projector_status(name).is_null() {
        return Vec::new();
    }
    let listed = host.command(&["dead-letters", "list", name, "--json"]);
    match listed.ok().json() {
        Value::Array(letters) => letters,
        other => panic!("{other}"),
    }
}

fn positions(host: &TestHost, name: &str) -> Vec<i64> {
    let letters = letters(host, name);
    let positions = letters.iter().map(|letter| letter["position"].as_i64());
    positions.flatten().collect()
}

fn waits(host: &TestHost, name: &str) -> i64 {
    let waiting = host.projector_status(name)["waiting"]["events"].as_i64();
    waiting.unwrap_or(-1)
}

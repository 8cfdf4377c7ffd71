//! Events that cannot be projected are set aside with their stream, in order,
//! while all other streams go on; and what becomes of them then.

use serde_json::Value;

use crate::harness::{Chance, Events, Store, TestHost, on_each_store, told};

on_each_store![
    a_bad_event_takes_its_stream_aside_and_no_other,
    a_mended_component_projects_what_was_set_aside_in_order,
    a_retry_in_vain_counts_and_changes_nothing_else,
    a_discarded_event_lets_its_stream_go_on,
    too_many_dead_letters_stop_the_projector,
    a_rebuild_stops_unless_it_is_told_otherwise,
    a_rebuild_with_more_dead_letters_does_not_take_over,
    a_row_that_the_database_refuses_is_set_aside_too,
    a_bad_event_is_found_among_many,
    a_failed_event_is_tried_again_after_a_pause,
    kills_lose_and_double_no_dead_letter,
];

const QUARANTINE: &str = "projectors.picky.failure.live = \"quarantine\"\n\
                          projectors.picky.failure.live_retries = 1\nretry.first_ms = 10";

fn a_bad_event_takes_its_stream_aside_and_no_other(store: Store) {
    let mut host = quarantined(store, QUARANTINE);
    host.until_state("picky", "live");
    assert_eq!(host.projector_status("picky")["dead_letters"], 3);
    assert_eq!(counted(&host), (100, 0), "all other streams, nothing of it");

    let letters = letters(&host);
    let of = |name: &str| -> Vec<Value> {
        let letters = letters.iter();
        letters.map(|letter| letter[name].clone()).collect()
    };
    assert_eq!(of("position"), [42, 43, 103]);
    assert_eq!(of("stream"), ["sick-stream"; 3]);
    assert_eq!(of("version"), [1, 2, 3]);
    assert_eq!(of("attempts"), [2, 0, 0]);
    assert!(of("error")[1].is_null() && of("error")[2].is_null());
    let error = &of("error")[0];
    let cause = error["cause"].as_str().unwrap();
    assert!(cause.contains("poison in sick-stream"), "{cause}");
    assert_eq!(error["class"], "projector");

    let text = host.command(&["dead-letters", "list", "picky"]).ok().out;
    assert!(
        text.contains("poison in sick-stream") && text.contains("waits behind"),
        "{text}"
    );
    assert!(
        text.contains("TENANT") && text.contains(" eu "),
        "streams of two tenants may have one name: {text}"
    );
    let text = host
        .command(&["dead-letters", "show", "picky", "42"])
        .ok()
        .out;
    assert!(text.contains("\"poison\":true"), "its payload: {text}");
    let text = host.command(&["status"]).ok().out;
    assert!(text.contains("picky has set 3 events aside"), "{text}");
    let said = host.command(&["dead-letters", "show", "picky", "41"]);
    assert!(
        said.ended_with(1)
            .err
            .contains("no dead letter at position 41")
    );

    // It waits over a restart, too.
    host.stop();
    host.append(
        &Events::from(104)
            .increased("sick-stream", 1)
            .increased("counter-0", 1),
    );
    host.start();
    host.until_number("SELECT sum(events) FROM picky_counters", 101);
    host.until("the stream waits on", || self::letters(&host).len() == 4);
    host.stop();
}

fn a_mended_component_projects_what_was_set_aside_in_order(store: Store) {
    let mut host = quarantined(store, QUARANTINE);
    host.install("picky_fixed", "picky.wasm");
    host.until_number("SELECT sum(events) FROM picky_counters", 103);
    assert_eq!(counted(&host), (103, 3));
    assert_eq!(host.projector_status("picky")["dead_letters"], 0);
    assert_eq!(
        host.number("SELECT count(*) FROM lantern_generations"),
        Some(1)
    );
    // The stream flows again.
    host.append(&Events::from(104).increased("sick-stream", 1));
    host.until_number("SELECT sum(events) FROM picky_counters", 104);
    assert_eq!(letters(&host), Vec::<Value>::new());
    host.stop();
}

fn a_retry_in_vain_counts_and_changes_nothing_else(store: Store) {
    let mut host = quarantined(store, QUARANTINE);
    // A later one of the stream stands for the stream.
    host.command(&["dead-letters", "retry", "picky", "--position", "43"])
        .ok();
    host.until("it was tried again", || letters(&host)[0]["attempts"] == 3);
    let after = letters(&host);
    assert_eq!(after.len(), 3);
    assert!(
        after.iter().all(|letter| letter["asked"].is_null()),
        "{after:?}"
    );
    assert_eq!(counted(&host), (100, 0));
    let said = host.command(&["dead-letters", "retry", "picky", "--stream", "counter-0"]);
    let said = said.ended_with(1).err;
    assert!(
        said.contains("no dead letter of stream `counter-0`") && said.contains("hint: "),
        "{said}"
    );
    host.stop();
}

fn a_discarded_event_lets_its_stream_go_on(store: Store) {
    let mut host = quarantined(store, QUARANTINE);
    host.command(&["dead-letters", "discard", "picky", "--position", "42"])
        .ok();
    host.until_number("SELECT sum(events) FROM picky_counters", 102);
    assert_eq!(counted(&host), (102, 2));
    assert_eq!(host.projector_status("picky")["dead_letters"], 0);
    host.append(
        &Events::from(104)
            .poisonous("sick-stream")
            .increased("sick-stream", 1),
    );
    host.until("it is set aside again", || letters(&host).len() == 2);
    host.stop();
    // Asked while no host runs, it is done by the next one.
    host.command(&["dead-letters", "discard", "picky", "--all"])
        .ok();
    assert_eq!(letters(&host)[0]["asked"], "discard");
    host.start();
    host.until("both are given up", || letters(&host).is_empty());
    assert_eq!(counted(&host), (102, 2));
    host.stop();
}

fn too_many_dead_letters_stop_the_projector(store: Store) {
    let most = format!("{QUARANTINE}\nfailure.most_dead_letters = 2");
    let mut host = TestHost::on_with(store, &most);
    host.install("picky", "picky.wasm");
    host.append(&sick());
    host.start();
    host.until_state("picky", "failed");
    let cause = host.projector_status("picky")["failure"]["cause"].clone();
    let cause = cause.as_str().unwrap();
    assert!(
        cause.contains("more than 2 events") && cause.contains("most_dead_letters"),
        "{cause}"
    );
    let set_aside = letters(&host).len() as i64;
    assert!(set_aside <= 2, "{set_aside}");
    let reached = host.projector_status("picky")["checkpoint"][""].as_i64();
    let reached = reached.unwrap_or_default();
    assert!(reached < 103);
    assert_eq!(counted(&host).0 + set_aside, reached, "nothing is lost");
    host.stop();
}

fn a_rebuild_stops_unless_it_is_told_otherwise(store: Store) {
    let mut host = quarantined(store, QUARANTINE);
    let said = host.command(&["rebuild", "picky", "--wait"]);
    assert!(said.ended_with(1).out.contains("poison in sick-stream"));
    assert_eq!(counted(&host), (100, 0), "readers have what they had");
    host.stop();

    host.write_settings(&format!("{QUARANTINE}\nfailure.rebuild = \"quarantine\""));
    host.start();
    host.command(&["rebuild", "picky", "--wait"]).ok();
    assert_eq!(counted(&host), (100, 0));
    assert_eq!(letters(&host).len(), 3, "they are no more than before");
    assert_eq!(host.projector_status("picky")["generation"], Value::Null);
    host.stop();
}

fn a_rebuild_with_more_dead_letters_does_not_take_over(store: Store) {
    let settings = format!("{QUARANTINE}\nfailure.rebuild = \"quarantine\"");
    let mut host = quarantined(store, &settings);
    host.command(&["dead-letters", "discard", "picky", "--all"])
        .ok();
    host.until("they are given up", || letters(&host).is_empty());
    let said = host.command(&["rebuild", "picky", "--wait"]).ended_with(1);
    assert!(
        said.out.contains("3 dead letters") && said.out.contains("--building"),
        "{}",
        said.out
    );
    assert_eq!(counted(&host), (100, 0), "readers have what they had");
    let building = ["dead-letters", "list", "picky", "--building", "--json"];
    let building = host.command(&building).ok().json();
    assert_eq!(building.as_array().map(Vec::len), Some(3));
    host.command(&["dead-letters", "discard", "picky", "--all", "--building"])
        .ok();
    host.command(&["resume", "picky"]).ok();
    host.until("it takes over", || {
        let status = host.projector_status("picky");
        status["building"].is_null() && status["failure"].is_null()
    });
    host.until_number(
        "SELECT count(*) FROM lantern_generations WHERE state = 'retired'",
        1,
    );
    host.stop();
}

fn a_row_that_the_database_refuses_is_set_aside_too(store: Store) {
    let mut host = TestHost::on_with(store, "failure.live = \"quarantine\"");
    host.install("seats", "seats.wasm");
    host.append(&Events::new().increased("a", 1).increased("b", 2));
    host.start();
    host.until_number("SELECT count(*) FROM seats", 2);
    let events = Events::from(3)
        .increased("c", 3)
        .increased("d", 1)
        .increased("e", 5);
    host.append(&events);
    host.until_number("SELECT count(*) FROM seats", 4);
    host.append(&Events::from(6).increased("d", 4));
    host.until("it waits", || {
        host.projector_status("seats")["dead_letters"] == 2
    });
    let listed = host
        .command(&["dead-letters", "list", "seats", "--json"])
        .ok()
        .json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["position"], &listed[1]["position"]),
        (&4.into(), &6.into())
    );
    let cause = listed[0]["error"]["cause"].as_str().unwrap();
    assert!(cause.contains("number"), "{cause}");
    // Tried again in vain, then after the number was given up.
    host.command(&["dead-letters", "retry", "seats", "--all"])
        .ok();
    host.until("it was tried again", || {
        let listed = host.command(&["dead-letters", "list", "seats", "--json"]);
        listed.ok().json()[0]["attempts"] == 2
    });
    host.append(&Events::from(7).increased("a", 9));
    host.until_number("SELECT count(*) FROM seats WHERE number = 9", 1);
    host.command(&["dead-letters", "retry", "seats", "--all"])
        .ok();
    host.until_number("SELECT number FROM seats WHERE name = 'd'", 4);
    host.until("none is left", || {
        host.projector_status("seats")["dead_letters"] == 0
    });
    host.stop();
}

fn a_bad_event_is_found_among_many(store: Store) {
    let mut host = TestHost::on_with(store, QUARANTINE);
    host.install("picky", "picky.wasm");
    let mut events = Events::new();
    for i in 0..7 {
        events = events.interleaved(500, 20).poisonous(&format!("sick-{i}"));
    }
    host.append(&events.interleaved(500, 20));
    host.start();
    host.until_number("SELECT sum(events) FROM picky_counters", 4_000);
    let letters = letters(&host);
    let positions: Vec<i64> = letters
        .iter()
        .filter_map(|letter| letter["position"].as_i64())
        .collect();
    assert_eq!(positions, [501, 1002, 1503, 2004, 2505, 3006, 3507]);
    let is_twice = |letter: &Value| letter["attempts"] == 2;
    assert!(letters.iter().all(is_twice), "each by itself: {letters:?}");
    host.stop();
}

fn a_failed_event_is_tried_again_after_a_pause(store: Store) {
    let pause = "failure.live_retries = 1\nretry.first_ms = 86400000\nretry.most_ms = 86400000";
    let mut host = TestHost::on_with(store, pause);
    host.install("picky", "picky.wasm");
    host.append(&sick());
    host.start();
    host.until_number("SELECT sum(events) FROM picky_counters", 41);
    host.wait_for_two_heartbeats();
    let status = host.projector_status("picky");
    assert!(
        status["failure"].is_null(),
        "not before tomorrow: {status:#}"
    );
    // Who waits can be stopped.
    host.stop();
}

/// Rows, checkpoint and dead letters are of one transaction.
fn kills_lose_and_double_no_dead_letter(store: Store) {
    let settings =
        format!("{QUARANTINE}\nbatch.events = 50\ncommit.rows = 1\ncommit.interval_ms = 1");
    let mut host = TestHost::on_with(store, &settings);
    let mut chance = Chance::new();
    host.install("picky", "picky.wasm");
    let (streams, mut events) = (40, Events::new());
    for _ in 0..20 {
        let sick = format!("counter-{}", chance.number(0..streams));
        events = events.interleaved(200, streams).poisonous(&sick);
    }
    host.append(&events);
    for _ in 0..10 {
        host.start();
        std::thread::sleep(chance.time(50..400));
        host.kill();
    }
    host.start();
    host.until("all is read", || {
        host.projector_status("picky")["checkpoint"][""] == host.events()
    });
    let set_aside = letters(&host).len() as i64;
    assert_eq!(counted(&host).0 + set_aside, host.events());
    assert!(set_aside >= 20, "{set_aside}");
    host.install("picky_fixed", "picky.wasm");
    host.until_number("SELECT sum(events) FROM picky_counters", host.events());
    assert_eq!(
        host.number("SELECT sum(total) FROM picky_counters"),
        Some(20 * 200)
    );
    told(
        "quarantine::kills",
        &format!("{set_aside} events set aside (seed {})", chance.seed()),
    );
    host.stop();
}

/// A host that has read 103 events, of which three of one stream wait.
fn quarantined(store: Store, settings: &str) -> TestHost {
    let mut host = TestHost::on_with(store, settings);
    host.install("picky", "picky.wasm");
    host.append(&sick());
    host.start();
    host.until("all is read", || {
        host.projector_status("picky")["checkpoint"][""] == 103
    });
    host
}

fn sick() -> Events {
    Events::new()
        .interleaved(41, 4)
        .poisonous("sick-stream")
        .increased("sick-stream", 1)
        .interleaved(59, 4)
        .increased("sick-stream", 1)
}

/// Events counted in all streams and in the sick one.
fn counted(host: &TestHost) -> (i64, i64) {
    let all = "SELECT coalesce(sum(events), 0) FROM picky_counters";
    let sick = format!("{all} WHERE name = 'sick-stream'");
    (
        host.number(all).unwrap_or_default(),
        host.number(&sick).unwrap_or_default(),
    )
}

fn letters(host: &TestHost) -> Vec<Value> {
    let listed = host.command(&[
        "dead-letters",
        "list",
        "picky",
        "--limit",
        "100000",
        "--json",
    ]);
    match listed.ok().json() {
        Value::Array(letters) => letters,
        other => panic!("{other}"),
    }
}

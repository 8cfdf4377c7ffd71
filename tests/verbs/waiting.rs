//! `wait`: a read model holds what was appended, or one is told why it does not.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{COUNTED, counting};
use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    what_was_appended_can_be_read_after_a_wait,
    the_end_of_the_log_can_be_waited_for,
    a_wait_tells_how_far_it_is_when_the_time_is_up,
    a_projector_that_stands_still_is_not_waited_for,
    what_is_being_built_is_not_what_readers_see,
    a_pause_ends_a_wait,
];

fn what_was_appended_can_be_read_after_a_wait(store: Store) {
    let mut host = counting(store);
    for n in 51..=80 {
        let events = Events::from(n).increased("counter-0", 1);
        let appended = host
            .command_with_input(&["append", "-", "--json"], events.text())
            .ok()
            .json();
        assert_eq!(appended["appended"], 1);
        let position = appended["last_position"].to_string();
        let said = host
            .command(&["wait", "counter", "--position", &position])
            .ok();
        assert_eq!(said.out, format!("counter holds position {position}\n"));
        // Not a moment later: that is what a wait is for.
        assert_eq!(host.number(COUNTED), Some(n as i64), "at once");
    }
    // A second try of an append whose answer was lost is told the same position.
    let events = Events::from(80).increased("counter-0", 1);
    let again = host.command_with_input(&["append", "-", "--json"], events.text());
    assert_eq!(
        again.ok().json(),
        json!({ "appended": 0, "duplicates": 1, "rejected": 0, "last_position": 80 })
    );
    host.stop();
}

fn the_end_of_the_log_can_be_waited_for(store: Store) {
    let mut host = counting(store);
    host.append(&Events::from(51).interleaved(500, 5));
    let waited = host.command(&["wait", "counter", "--head", "--json"]).ok();
    assert_eq!(
        waited.json(),
        json!({
            "projector": "counter", "target": { "": 550 }, "checkpoint": { "": 550 }, "missing": 0,
            "end": "reached", "waiting": { "events": 0, "oldest": null }
        })
    );
    assert_eq!(host.number(COUNTED), Some(550));
    host.stop();
}

fn a_wait_tells_how_far_it_is_when_the_time_is_up(store: Store) {
    let mut host = counting(store);
    let look_once = |position: &str, rest: &[&str]| {
        let wait = ["wait", "counter", "--timeout", "0s", "--position", position];
        host.command(&[&wait, rest].concat()).ended_with(3)
    };
    let said = look_once("52", &[]);
    assert!(
        said.err
            .contains("counter is at position 50, 2 positions before 52"),
        "{}",
        said.err
    );
    assert!(said.err.contains("not been appended yet"), "{}", said.err);

    host.stop();
    host.append(&Events::from(51).interleaved(10, 5));
    let look_once = |rest: &[&str]| {
        let wait = ["wait", "counter", "--head", "--timeout", "10ms"];
        host.command(&[&wait, rest].concat()).ended_with(3)
    };
    let said = look_once(&[]);
    assert!(said.err.contains("`lantern run`"), "{}", said.err);
    let told = look_once(&["--json"]).json();
    assert_eq!(
        (&told["missing"], &told["end"], &told["state"]),
        (&json!(10), &json!("not_yet"), &json!("stopped"))
    );
    let said = host
        .command(&["wait", "nobody", "--position", "1"])
        .ended_with(1);
    assert!(said.err.contains("there are: counter"), "{}", said.err);
    host.command(&["wait", "counter"]).ended_with(2);
}

/// The time is so long that a wait which goes on is a test that hangs.
const LONG: [&str; 2] = ["--timeout", "1h"];

fn a_projector_that_stands_still_is_not_waited_for(store: Store) {
    let mut host = TestHost::on(store);
    host.install("picky", "picky.wasm");
    host.install("counter_v1", "counter.wasm");
    host.append(
        &Events::new()
            .increased("a", 1)
            .poisonous("a")
            .increased("a", 1),
    );
    host.start();
    host.until_state("picky", "failed");
    let wait = |arguments: &[&str]| host.command(&[&["wait"], arguments, &LONG].concat());
    wait(&["counter", "--head"]).ok();

    // What it does hold, it holds.
    wait(&["picky", "--position", "1"]).ok();
    let said = wait(&["picky", "--head"]).ended_with(1);
    for part in [
        "picky is at position 1",
        "it failed",
        "poison in a",
        "resume",
    ] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    let told: Value = wait(&["picky", "--head", "--json"]).ended_with(1).json();
    assert_eq!(
        (&told["end"], &told["why"], &told["position"]),
        (&json!("stands_still"), &json!("failed"), &json!(2))
    );

    host.command(&["pause", "counter"]).ok();
    // A host follows within moments, not at once.
    host.wait_for_two_heartbeats();
    host.append(&Events::from(4).increased("a", 1));
    let said = wait(&["counter", "--head"]).ended_with(1);
    assert!(
        said.err.contains("it is paused") && said.err.contains("`lantern resume counter`"),
        "{}",
        said.err
    );
    host.stop();
}

fn what_is_being_built_is_not_what_readers_see(store: Store) {
    let mut host = TestHost::on_with(store, "failure.rebuild = \"quarantine\"");
    host.install("picky", "picky.wasm");
    let events = Events::new().increased("a", 1).poisonous("a");
    host.append(&events.increased("a", 1));
    host.start();
    host.until_state("picky", "failed");
    // It reads all, and does not take over, as it has dead letters.
    host.command(&["rebuild", "picky", "--wait"]).ended_with(1);
    let status = host.projector_status("picky");
    assert_eq!(status["building"]["checkpoint"], json!({ "": 3 }));
    let wait = [&["wait", "picky", "--head"][..], &LONG].concat();
    let said = host.command(&wait).ended_with(1);
    assert!(said.err.contains("picky is at position 1"), "{}", said.err);
    host.stop();
}

fn a_pause_ends_a_wait(store: Store) {
    let mut host = counting(store);
    let mut wait: Command = host.lantern();
    wait.args(["wait", "counter", "--position", "1000"])
        .args(LONG);
    let wait = wait.stderr(Stdio::piped()).spawn().unwrap();
    host.wait_for_two_heartbeats();
    host.command(&["pause", "counter"]).ok();
    let said = wait.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(
        said.status.code() == Some(1) && error.contains("it is paused"),
        "{error}"
    );
    host.stop();
}

//! When projectors work: at once, in batches, by a schedule. No test measures
//! time: what must not happen gets two heartbeats to happen in.

use serde_json::json;

use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    a_batch_is_worked_when_enough_events_wait_and_in_one_commit,
    a_batch_is_worked_when_its_time_has_passed,
    a_scheduled_projector_works_when_its_time_comes,
    a_scheduled_projector_sleeps_over_a_restart_unless_a_time_was_missed,
    a_round_without_rows_moves_the_checkpoint,
    whoever_sleeps_can_be_rebuilt_paused_resumed_waited_for_and_stopped,
    catching_up_to_the_end_needs_no_schedule,
];

/// Not while a test runs, unless it runs on New Year's Eve.
const ONCE_A_YEAR: &str = "update.strategy = \"scheduled\"\nupdate.schedule = \"0 0 1 1 *\"\n";

const EACH_SECOND: &str = "update.strategy = \"scheduled\"\nupdate.schedule = \"* * * * * *\"\n";

const COUNTED: &str = "SELECT sum(events) FROM counters";

/// A host with a counter that has counted 50 events, and sleeps.
fn sleeping(store: Store, settings: &str) -> TestHost {
    let mut host = TestHost::on_with(store, settings);
    host.append(&Events::new().interleaved(50, 5));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number(COUNTED, 50);
    host.until_state("counter", "sleeping");
    host
}

fn stays_at(host: &TestHost, events: i64) {
    host.wait_for_two_heartbeats();
    assert_eq!(host.number(COUNTED), Some(events), "it sleeps");
}

fn a_batch_is_worked_when_enough_events_wait_and_in_one_commit(store: Store) {
    let settings =
        "update.strategy = \"batched\"\nupdate.events = 100\nupdate.interval_ms = 86400000";
    let mut host = sleeping(store, settings);
    let status = host.projector_status("counter");
    assert_eq!(status["update"], "batched, every 86400s or 100 events");
    assert!(!status["next_run_at"].is_null());
    for n in 0..9 {
        host.append(&Events::from(51 + n * 11).interleaved(11, 5));
    }
    stays_at(&host, 50);
    // Ten appends end in one commit: what was is followed by all there is.
    host.append(&Events::from(150).increased("counter-0", 1));
    let mut seen = Vec::new();
    host.until("the batch is worked", || {
        seen.extend(host.number(COUNTED));
        seen.last() == Some(&150)
    });
    seen.dedup();
    assert!(seen == [50, 150] || seen == [150], "{seen:?}");
    host.stop();
}

fn a_batch_is_worked_when_its_time_has_passed(store: Store) {
    let settings =
        "update.strategy = \"batched\"\nupdate.events = 100000\nupdate.interval_ms = 100";
    let mut host = sleeping(store, settings);
    for round in 1..=3 {
        host.append(&Events::from(50 + round).increased("counter-0", 1));
        host.until_number(COUNTED, 50 + round as i64);
    }
    host.stop();
}

fn a_scheduled_projector_works_when_its_time_comes(store: Store) {
    let mut host = sleeping(store, EACH_SECOND);
    for round in 1..=3 {
        host.append(&Events::from(50 + round).increased("counter-0", 1));
        host.until_number(COUNTED, 50 + round as i64);
    }
    // Also an event that it does not want: its checkpoint passes it.
    let other = r#"{"specversion":"1.0","id":"o","source":"/o","type":"other","subject":"s"}"#;
    host.append(&Events::new().line(other));
    host.command(&["wait", "counter", "--head"]).ok();
    host.stop();
}

fn a_scheduled_projector_sleeps_over_a_restart_unless_a_time_was_missed(store: Store) {
    let mut host = sleeping(store, ONCE_A_YEAR);
    let status = host.projector_status("counter");
    assert_eq!(status["update"], "scheduled, `0 0 1 1 *` UTC");
    let next = status["next_run_at"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(next.ends_with("-01-01T00:00:00.000Z"), "{status:#}");
    let text = host.command(&["status"]).ok().out;
    assert!(text.contains(&format!("next run at {next}")), "{text}");

    host.append(&Events::from(51).interleaved(10, 5));
    stays_at(&host, 50);
    host.stop();
    host.start();
    host.until_state("counter", "sleeping");
    stays_at(&host, 50);

    host.stop();
    // As if the last run had been in 1970.
    set_last_run(&host, 0);
    host.start();
    host.until_number(COUNTED, 60);
    host.until_state("counter", "sleeping");
    host.append(&Events::from(61).interleaved(10, 5));
    stays_at(&host, 60);
    host.stop();
}

fn a_round_without_rows_moves_the_checkpoint(store: Store) {
    let mut host = sleeping(store, ONCE_A_YEAR);
    host.stop();
    let other = r#"{"specversion":"1.0","id":"o","source":"/o","type":"other","subject":"s"}"#;
    host.append(&Events::new().line(other));
    set_last_run(&host, 0);
    host.start();
    // By the end of this round: the next one is in a year.
    host.until("the checkpoint has moved", || {
        host.projector_status("counter")["checkpoint"] == json!({ "": 51 })
    });
    host.stop();
}

fn whoever_sleeps_can_be_rebuilt_paused_resumed_waited_for_and_stopped(store: Store) {
    let mut host = sleeping(store, ONCE_A_YEAR);
    host.append(&Events::from(51).interleaved(10, 5));
    let wait = ["wait", "counter", "--head", "--timeout", "10ms", "--json"];
    let said = host.command(&wait).ended_with(3);
    assert!(said.err.contains("works next at"), "{}", said.err);
    assert_eq!(said.json()["missing"], json!(10));

    host.command(&["pause", "counter"]).ok();
    host.until_state("counter", "paused");
    host.command(&["resume", "counter"]).ok();
    host.until_state("counter", "sleeping");
    stays_at(&host, 50);

    // A rebuild reads to the end at full speed, whatever the schedule.
    host.command(&["rebuild", "counter", "--wait"]).ok();
    assert_eq!(host.number(COUNTED), Some(60));
    host.until_state("counter", "sleeping");
    host.append(&Events::from(61).increased("counter-0", 1));
    stays_at(&host, 60);
    host.stop();
}

fn catching_up_to_the_end_needs_no_schedule(store: Store) {
    let mut host = sleeping(store, ONCE_A_YEAR);
    host.stop();
    host.append(&Events::from(51).interleaved(10, 5));
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(60));
}

fn set_last_run(host: &TestHost, microseconds: i64) {
    match host.store() {
        Store::Sqlite => {
            let file = rusqlite::Connection::open(host.read_store()).unwrap();
            let set = "UPDATE lantern_runs SET began_at = ?1";
            assert_eq!(file.execute(set, [microseconds]).unwrap(), 1);
        }
        Store::Postgres => {
            let set = format!("UPDATE read_models.lantern_runs SET began_at = {microseconds}");
            host.database().run(&set);
        }
    }
}

//! What goes wrong with projectors, databases and disks, and what then happens:
//! one projector's trouble is nobody else's, and what may pass is tried again,
//! loudly, until it has.

use std::fs;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::harness::{Events, Store, TestHost, on_each_store, skipped};

on_each_store![
    a_poisonous_event_stops_its_projector_with_all_there_is_to_know,
    a_mended_component_goes_on_from_the_poisonous_event_with_none_lost,
    a_failure_survives_a_restart_and_is_not_tried_again_by_itself,
    many_poisonous_events_are_met_one_by_one,
    a_hole_in_the_log_is_the_logs_fault_and_not_tried_again,
];

fn a_poisonous_event_stops_its_projector_with_all_there_is_to_know(store: Store) {
    let mut host = TestHost::on(store);
    host.install("picky", "picky.wasm");
    host.install("counter_v1", "counter.wasm");
    host.append(&a_hundred_with_poison_at_42());
    host.start();
    host.until_state("picky", "failed");
    host.until_number("SELECT sum(events) FROM counters", 100);

    let status = host.projector_status("picky");
    let failure = &status["failure"];
    assert_eq!(status["version"], "1.0.0");
    assert_eq!(failure["class"], "projector");
    assert_eq!(failure["position"], 42);
    assert_eq!(failure["event_type"], "counter.increased");
    assert_eq!(failure["stream"], "sick-stream");
    assert_eq!(failure["digest"], status["digest"]);
    let cause = failure["cause"].as_str().unwrap();
    assert!(
        cause.contains("panicked") && cause.contains("poison in sick-stream"),
        "{cause}"
    );
    let next_step = failure["next_step"].as_str().unwrap();
    assert!(
        next_step.contains("same version") && next_step.contains("lantern resume"),
        "{next_step}"
    );

    let log = host.log();
    let line = &log[log.find("stopped by a failure").expect("the log tells it")..];
    let text = host.command(&["status"]).ok().out;
    for part in [
        "picky",
        "1.0.0",
        "event 42",
        "counter.increased",
        "sick-stream",
        "poison in sick-stream",
    ] {
        assert!(line.contains(part), "the log names {part}: {line}");
        assert!(text.contains(part), "status names {part}: {text}");
    }
    assert!(
        line.contains("next_step") && text.contains("next step"),
        "{line}\n{text}"
    );

    assert_eq!(
        host.number("SELECT sum(events) FROM picky_counters"),
        Some(41),
        "its neighbours before it are applied"
    );
    assert_eq!(
        host.number("SELECT count(*) FROM picky_counters WHERE name = 'sick-stream'"),
        Some(0)
    );
    host.append(&Events::from(101).increased("counter-0", 1));
    host.until_number("SELECT sum(events) FROM counters", 101);
    assert_eq!(
        host.projector_status("picky")["checkpoint"][""],
        41,
        "it stands before the event"
    );
    host.stop();
}

fn a_mended_component_goes_on_from_the_poisonous_event_with_none_lost(store: Store) {
    let mut host = TestHost::on(store);
    host.install("picky", "picky.wasm");
    host.append(&a_hundred_with_poison_at_42());
    host.start();
    host.until_state("picky", "failed");
    host.install("picky_fixed", "picky.wasm");
    host.until_number("SELECT sum(events) FROM picky_counters", 100);
    assert_eq!(
        host.number("SELECT sum(total) FROM picky_counters"),
        Some(99),
        "the poisonous one adds nothing"
    );
    assert_eq!(
        host.number("SELECT count(*) FROM lantern_generations"),
        Some(1),
        "it was not rebuilt"
    );
    host.until_state("picky", "live");
    host.stop();
}

fn a_failure_survives_a_restart_and_is_not_tried_again_by_itself(store: Store) {
    let mut host = TestHost::on(store);
    host.install("picky", "picky.wasm");
    host.append(&a_hundred_with_poison_at_42());
    host.start();
    host.until_state("picky", "failed");
    let at = host.projector_status("picky")["failure"]["at"].clone();
    host.stop();
    assert_eq!(
        host.projector_status("picky")["state"],
        "failed",
        "without a host, too"
    );
    host.start();
    host.wait_for_two_heartbeats();
    assert_eq!(host.projector_status("picky")["failure"]["at"], at);
    host.stop();
    host.install("picky_fixed", "picky.wasm");
    host.run_until_caught_up();
    assert_eq!(
        host.number("SELECT sum(events) FROM picky_counters"),
        Some(100),
        "mended while no host ran"
    );
}

fn many_poisonous_events_are_met_one_by_one(store: Store) {
    let mut host = TestHost::on_with(store, "batch.events = 50");
    host.install("picky", "picky.wasm");
    let events = Events::new()
        .poisonous("first")
        .interleaved(120, 3)
        .poisonous("second")
        .interleaved(5, 3);
    host.append(&events);
    host.start();
    host.until_state("picky", "failed");
    assert_eq!(host.projector_status("picky")["failure"]["position"], 1);
    assert_eq!(host.number("SELECT count(*) FROM picky_counters"), Some(0));
    host.stop();
}

fn a_hole_in_the_log_is_the_logs_fault_and_not_tried_again(store: Store) {
    let mut host = TestHost::on_with(store, "batch.events = 2");
    host.install("subscribes_to_beginnings", "subscriber.wasm");
    host.append(&(1..=6).fold(Events::new(), |events, _| events.increased("process/1", 1)));
    match store {
        Store::Sqlite => {
            let file = Connection::open(host.event_store()).unwrap();
            file.execute_batch("DELETE FROM lantern_events WHERE position = 4")
                .unwrap();
        }
        Store::Postgres => host
            .database()
            .run("DELETE FROM lantern_events.lantern_events WHERE position = 4"),
    }
    host.start();
    host.until_state("subscribes_to_beginnings", "failed");
    let failure = host.projector_status("subscribes_to_beginnings")["failure"].clone();
    assert_eq!(failure["class"], "source");
    let cause = failure["cause"].as_str().unwrap();
    assert!(cause.contains("stream `process/1` has a hole"), "{cause}");
    let counted = "SELECT sum(events) FROM subscribes_to_beginnings";
    assert_eq!(
        host.number(counted),
        Some(2),
        "what lies before it is sound"
    );
    host.stop();
}

#[test]
fn a_locked_database_is_waited_for_loudly() {
    let mut host = TestHost::new();
    host.install("counter_v1", "counter.wasm");
    host.append(&Events::new().interleaved(20, 4));
    host.start();
    host.until_number("SELECT sum(events) FROM counters", 20);
    let other = Connection::open(host.read_store()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    host.append(&Events::from(21).interleaved(20, 4));
    host.until("the host complains", || {
        host.log().contains("failed, trying again")
    });
    assert_eq!(
        host.number("SELECT sum(events) FROM counters"),
        Some(20),
        "readers read on"
    );
    let log = host.log();
    let line = log
        .lines()
        .find(|line| line.contains("failed, trying again"))
        .unwrap();
    assert!(line.contains("WARN") && line.contains("locked"), "{line}");
    other.execute_batch("ROLLBACK").unwrap();
    host.until_number("SELECT sum(events) FROM counters", 40);
    host.until("the trouble is over", || {
        host.projector_status("counter")["trouble"].is_null()
    });
    assert_eq!(
        host.projector_status("counter")["failure"],
        serde_json::Value::Null
    );
    host.stop();
}

#[test]
fn a_locked_event_store_fails_the_append_alone_and_says_what_to_do() {
    let mut host = TestHost::new();
    host.install("counter_v1", "counter.wasm");
    host.append(&Events::new().interleaved(20, 4));
    host.start();
    host.until_number("SELECT sum(events) FROM counters", 20);
    let other = Connection::open(host.event_store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let said = host.command_with_input(&["append", "-"], Events::from(21).increased("a", 1).text());
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(
        said.err.contains("locked") && said.err.contains("hint: "),
        "{}",
        said.err
    );
    other.execute_batch("ROLLBACK").unwrap();
    host.append(&Events::from(21).increased("a", 1));
    host.until_number("SELECT sum(events) FROM counters", 21);
    host.stop();
}

/// A disk of one's own needs a mount, which needs rights: a new user namespace
/// gives them without any, and takes the mount away with the process. So the
/// test proper runs in such a namespace, as a process of its own.
#[test]
fn a_full_disk_is_waited_for_loudly() {
    let may_mount = [
        "--map-root-user",
        "--mount",
        "mount",
        "-t",
        "tmpfs",
        "tmpfs",
        "/tmp",
    ];
    let tried = Command::new("unshare")
        .args(may_mount)
        .stderr(Stdio::null())
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        return skipped(
            "failure::a_full_disk",
            "no small disk can be mounted here (see `unshare --map-root-user --mount`)",
        );
    }
    // Brought up to date out here, where they can be written to.
    crate::harness::places::lantern();
    crate::harness::component("counter_v1");
    let mut inner = Command::new("unshare");
    inner
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap());
    inner.args([
        "--exact",
        "failure::on_a_small_disk",
        "--ignored",
        "--nocapture",
    ]);
    inner.env("LANTERN_TEST_BINARY", crate::harness::places::lantern());
    let ended = inner.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
#[ignore = "runs in a namespace of its own, see `a_full_disk_is_waited_for_loudly`"]
fn on_a_small_disk() {
    let mut host =
        TestHost::with_settings("read_store.path = \"disk/read.db\"\nretry.most_ms = 500");
    let disk = host.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(&disk)
        .status();
    assert!(mounted.unwrap().success());
    let counted = || {
        crate::harness::Reader::open(&disk.join("read.db"))
            .number("SELECT sum(events) FROM counters")
    };

    host.install("counter_v1", "counter.wasm");
    host.append(&Events::new().interleaved(20, 4));
    host.start();
    host.until("the first events are counted", || {
        disk.join("read.db").exists() && counted() == Some(20)
    });
    fill(&disk);
    let many = 3_000;
    let events = (0..many).fold(Events::from(21), |events, i| {
        events.increased(&format!("one-of-many-{i}"), 1)
    });
    host.append(&events);
    host.until("the host complains", || {
        host.log().contains("failed, trying again") && host.log().contains("full")
    });
    assert_ne!(counted(), Some(20 + many), "there is no room");
    fs::remove_file(disk.join("filler")).unwrap();
    host.until("there is room again", || counted() == Some(20 + many));
    host.until_state("counter", "live");
    assert!(
        host.projector_status("counter")["failure"].is_null(),
        "nothing is anybody's fault"
    );
    host.stop();
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.unwrap().success());
}

/// Fills a disk to the last byte.
fn fill(disk: &std::path::Path) {
    use std::io::Write;
    let mut filler = fs::File::create(disk.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
}

fn a_hundred_with_poison_at_42() -> Events {
    Events::new()
        .interleaved(41, 4)
        .poisonous("sick-stream")
        .interleaved(58, 4)
}

//! What happens to files in the watched folder, while a host runs on it.

use std::fs;
use std::io::Write;

use crate::harness::{Events, Store, TestHost, component, on_each_store};

on_each_store![
    a_new_file_goes_live_and_takes_in_what_was_there_before,
    the_same_version_with_other_bytes_goes_on_from_the_checkpoint,
    tables_that_changed_under_the_same_version_are_refused_with_the_reason,
    without_its_file_a_projector_stops_and_keeps_its_data,
    a_file_that_went_and_came_back_while_no_host_ran_is_noticed,
    what_is_no_projector_is_refused_with_the_reason_and_nothing_else_is_touched,
    what_replaces_a_running_projector_by_something_broken_leaves_it_running,
    a_file_written_slowly_in_place_is_taken_when_it_is_whole,
    a_file_may_be_overwritten_in_place,
    of_two_files_for_one_projector_one_is_refused_until_the_other_goes,
    of_two_projectors_that_want_one_table_the_later_is_refused,
    projectors_beside_each_other_each_get_all_they_want,
];

fn a_new_file_goes_live_and_takes_in_what_was_there_before(store: Store) {
    let mut host = TestHost::on(store);
    host.append(&Events::new().interleaved(50, 5));
    host.start();
    assert!(host.projector_status("counter").is_null());
    host.install("counter_v1", "counter.wasm");
    host.until_number("SELECT sum(events) FROM counters", 50);
    host.append(&Events::from(51).interleaved(10, 5));
    host.until_number("SELECT sum(events) FROM counters", 60);
    host.until_state("counter", "live");
    assert_eq!(host.projector_status("counter")["file"], "counter.wasm");
    host.stop();
}

fn the_same_version_with_other_bytes_goes_on_from_the_checkpoint(store: Store) {
    let mut host = counting(store, 50);
    host.install("counter_v1_fixed", "counter.wasm");
    host.until("the other bytes are taken", || {
        host.log().contains("component replaced, same version")
    });
    host.append(
        &Events::from(51)
            .increased("counter-0", 1)
            .increased("new", 1),
    );
    host.until_number("SELECT sum(events) FROM counters", 52);
    let by = |name: &str| {
        let sql = format!("SELECT written_by FROM counters WHERE name = '{name}'");
        host.reader().value(&sql).unwrap()
    };
    assert_eq!(
        (by("counter-0"), by("new")),
        ("v1 fixed".into(), "v1 fixed".into())
    );
    assert_eq!(by("counter-1"), "v1", "nothing was projected a second time");
    assert_eq!(
        host.number("SELECT count(*) FROM lantern_generations"),
        Some(1),
        "no rebuild"
    );
    host.stop();
}

fn tables_that_changed_under_the_same_version_are_refused_with_the_reason(store: Store) {
    let mut host = counting(store, 50);
    host.install("counter_v1_changed_tables", "counter.wasm");
    let reason = host.until_refused("counter.wasm");
    for part in [
        "`counters`",
        "`largest` has been added",
        "1.0.0",
        "raise the version",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(host.log().contains("file refused"), "the log tells it, too");
    assert_goes_on(&host, 50);
    host.install("counter_v1", "counter.wasm");
    host.until("the refusal is forgotten", || {
        host.refusal("counter.wasm").is_empty()
    });
    host.stop();
}

fn without_its_file_a_projector_stops_and_keeps_its_data(store: Store) {
    let mut host = counting(store, 50);
    host.remove("counter.wasm");
    host.until_state("counter", "detached");
    host.append(&Events::from(51).increased("counter-0", 1));
    assert_eq!(
        host.number("SELECT sum(events) FROM counters"),
        Some(50),
        "the data stays"
    );
    host.install("counter_v1", "counter.wasm");
    host.until_number("SELECT sum(events) FROM counters", 51);
    host.until_state("counter", "live");
    assert_eq!(
        host.number("SELECT count(*) FROM lantern_generations"),
        Some(1),
        "it went on, and was not rebuilt"
    );
    host.stop();
}

fn a_file_that_went_and_came_back_while_no_host_ran_is_noticed(store: Store) {
    let mut host = counting(store, 50);
    host.stop();
    host.remove("counter.wasm");
    host.start();
    host.until_state("counter", "detached");
    host.stop();
    host.install("counter_v1_fixed", "renamed.wasm");
    host.append(&Events::from(51).increased("counter-0", 1));
    host.start();
    host.until_number(
        "SELECT sum(events) FROM counters WHERE written_by = 'v1 fixed'",
        11,
    );
    host.until_state("counter", "live");
    assert_eq!(host.projector_status("counter")["file"], "renamed.wasm");
    host.stop();
}

fn what_is_no_projector_is_refused_with_the_reason_and_nothing_else_is_touched(store: Store) {
    let good = fs::read(component("counter_v1")).unwrap();
    let cut = |len: usize| good[..len].to_vec();
    let files = [
        ("empty.wasm", vec![], "not a WebAssembly file"),
        (
            "text.wasm",
            b"this is no program".to_vec(),
            "not a WebAssembly file",
        ),
        (
            "header.wasm",
            cut(8),
            "exports no `lantern:projector/projection`",
        ),
        ("begun.wasm", cut(9), "not a valid component"),
        ("half.wasm", cut(good.len() / 2), "not a valid component"),
        ("almost.wasm", cut(good.len() - 1), "not a valid component"),
        ("module.wasm", wat("(module)"), "core WebAssembly module"),
        (
            "other.wasm",
            wat(OTHER_WORLD),
            "exports no `lantern:projector/projection`",
        ),
        (
            "newer.wasm",
            wat(NEWER_WORLD),
            "built for lantern:projector 9.1.0; this host serves 0.1.x: update the host",
        ),
    ];
    let mut host = counting(store, 50);
    for (file, bytes, _) in &files {
        host.install_bytes(bytes, file);
    }
    for (file, _, expected) in &files {
        let reason = host.until_refused(file);
        assert!(reason.contains(expected), "{file}: {reason}");
    }
    let text = host.command(&["status"]).ok().out;
    let log = host.log();
    for (file, ..) in &files {
        assert!(
            text.contains(&format!("{file} refused: ")),
            "status tells of {file}:\n{text}"
        );
        assert!(
            log.contains(&format!("file=\"{file}\"")),
            "the log tells of {file}"
        );
    }
    assert_goes_on(&host, 50);
    host.stop();
}

/// A sound component that does something else.
const OTHER_WORLD: &str = r#"(component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "f"))))"#;

/// A component for a host that has yet to be written.
const NEWER_WORLD: &str = r#"(component
    (instance $i)
    (export "lantern:projector/projection@9.1.0" (instance $i)))"#;

fn what_replaces_a_running_projector_by_something_broken_leaves_it_running(store: Store) {
    let good = fs::read(component("counter_v1_fixed")).unwrap();
    let mut host = counting(store, 50);
    for (bytes, reason) in [
        (&good[..0], "not a WebAssembly file"),
        (&good[..8], "exports no"),
        (&good[..good.len() / 3], "not a valid component"),
        (&good[..good.len() - 1], "not a valid component"),
    ] {
        host.install_bytes(bytes, "counter.wasm");
        host.until(reason, || host.refusal("counter.wasm").contains(reason));
    }
    assert_goes_on(&host, 50);
    host.install_bytes(&good, "counter.wasm");
    host.until("the whole is taken", || {
        host.log().contains("component replaced, same version")
    });
    host.append(&Events::from(52).increased("counter-1", 1));
    host.until_number(
        "SELECT events FROM counters WHERE name = 'counter-1' AND written_by = 'v1 fixed'",
        11,
    );
    host.until("the refusal is forgotten", || {
        host.refusal("counter.wasm").is_empty()
    });
    host.stop();
}

fn a_file_written_slowly_in_place_is_taken_when_it_is_whole(store: Store) {
    let bytes = fs::read(component("counter_v1_fixed")).unwrap();
    let mut host = counting(store, 50);
    let mut file = fs::File::create(host.projector("counter.wasm")).unwrap();
    for part in bytes.chunks(bytes.len() / 12) {
        file.write_all(part).unwrap();
        // Longer than the debounce: the half-written file looks as if it were done.
        std::thread::sleep(std::time::Duration::from_millis(80));
    }
    drop(file);
    host.until("the whole is taken", || {
        host.log().contains("component replaced, same version")
    });
    assert!(
        !host.log().contains("file refused"),
        "a file still being written to is not refused"
    );
    assert_goes_on(&host, 50);
    host.stop();
}

fn a_file_may_be_overwritten_in_place(store: Store) {
    let mut host = counting(store, 50);
    host.overwrite("counter_v2", "counter.wasm");
    host.until_version("counter", "2.0.0");
    assert_eq!(
        host.number("SELECT sum(events) FROM counters WHERE written_by = 'v2'"),
        Some(50)
    );
    assert_eq!(
        host.projector_status("counter")["can_roll_back_to"],
        "1.0.0"
    );
    host.stop();
}

fn of_two_files_for_one_projector_one_is_refused_until_the_other_goes(store: Store) {
    let mut host = counting(store, 50);
    host.install("counter_v1_fixed", "again.wasm");
    let reason = host.until_refused("again.wasm");
    assert!(
        reason.contains("`counter`") && reason.contains("`counter.wasm`"),
        "{reason}"
    );
    assert_goes_on(&host, 50);
    assert_eq!(
        host.number("SELECT count(*) FROM counters WHERE written_by <> 'v1'"),
        Some(0)
    );
    host.remove("counter.wasm");
    host.until("the other file is taken", || {
        host.projector_status("counter")["file"] == "again.wasm"
    });
    host.append(&Events::from(52).increased("counter-1", 1));
    host.until_number(
        "SELECT events FROM counters WHERE name = 'counter-1' AND written_by = 'v1 fixed'",
        11,
    );
    host.until_state("counter", "live");
    host.stop();
}

fn of_two_projectors_that_want_one_table_the_later_is_refused(store: Store) {
    let mut host = counting(store, 50);
    host.install("taker", "taker.wasm");
    let reason = host.until_refused("taker.wasm");
    assert!(
        reason.contains("`counters`") && reason.contains("`counter`"),
        "{reason}"
    );
    assert!(host.projector_status("taker").is_null());
    assert_goes_on(&host, 50);
    host.stop();
}

fn projectors_beside_each_other_each_get_all_they_want(store: Store) {
    let mut host = TestHost::on(store);
    host.append(
        &Events::new()
            .increased_of("eu", "shared", 1)
            .increased_of("us", "shared", 2),
    );
    for name in ["counter_v1", "tenant_counter", "picky_fixed"] {
        host.install(name, &format!("{name}.wasm"));
    }
    host.start();
    host.append(
        &Events::from(3)
            .increased_of("eu", "shared", 4)
            .increased_of("us", "shared", 8),
    );
    host.until_number("SELECT total FROM counters WHERE name = 'shared'", 15);
    host.until_number("SELECT total FROM picky_counters WHERE name = 'shared'", 15);
    host.until_number(
        "SELECT total FROM tenant_counters WHERE name = 'shared' AND tenant = 'eu'",
        5,
    );
    host.until_number(
        "SELECT total FROM tenant_counters WHERE name = 'shared' AND tenant = 'us'",
        10,
    );
    host.stop();
}

/// A host that runs `counter_v1` and has counted some events: five counters in
/// turn.
fn counting(store: Store, events: u64) -> TestHost {
    let mut host = TestHost::on(store);
    host.append(&Events::new().interleaved(events, 5));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number("SELECT sum(events) FROM counters", events as i64);
    host
}

/// Asserts that the counter still counts: one event more.
fn assert_goes_on(host: &TestHost, events: u64) {
    host.append(&Events::from(events + 1).increased("counter-0", 1));
    host.until_number("SELECT sum(events) FROM counters", events as i64 + 1);
    host.until_state("counter", "live");
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

//! Projectors that run within each append: rows and events come and go together.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{scope, sleep};
use std::time::Instant;

use lantern::config::{FileText, Inputs, resolve};
use lantern::model::{Event, Payload, Timestamp};
use lantern::operations::Lantern;

use crate::harness::{Chance, Events, Store, TestHost, on_each_store, told};

on_each_store![
    rows_are_there_when_an_append_is_with_no_host_at_all,
    whoever_cannot_project_an_event_takes_the_append_back,
    a_program_that_appends_remembers_nothing_that_was_taken_back,
    appends_side_by_side_are_all_followed,
    kills_leave_events_and_rows_together,
    it_is_a_setting_that_can_be_changed_to_and_fro,
    a_new_version_takes_over_between_two_appends,
    programs_that_never_pause_do_not_keep_a_new_version_out,
    whoever_is_paused_holds_no_append_up_and_catches_up_later,
    a_verb_that_fails_leaves_a_projector_inline,
    whoever_is_taken_off_the_list_is_handed_over_again,
    whoever_is_rewound_catches_up_before_it_is_inline_again,
    what_was_set_aside_keeps_a_projector_beside_the_appends,
];

/// Events and rows are in one file; that of the read models, where the tests look.
const ONE_FILE: &str = "event_store.path = \"lantern-data/read.db\"\n";

const INLINE: &str = "update.strategy = \"inline\"\n";

const COUNTED: &str = "SELECT coalesce(sum(events), 0) FROM counters";

/// A host with a projector, whose rows are in the database of the events.
fn host(store: Store, component: &str, settings: &str) -> TestHost {
    let mut host = TestHost::on_with(store, &(ONE_FILE.to_owned() + settings));
    host.append(&Events::new().interleaved(50, 5));
    let file = component.split('_').next().unwrap_or(component);
    host.install(component, &format!("{file}.wasm"));
    host.start();
    host
}

/// A counter that has counted 50 events and runs inline, and no host.
fn inline_counter(store: Store) -> TestHost {
    let mut host = host(store, "counter_v1", INLINE);
    host.until_state("counter", "inline");
    assert_eq!(host.number(COUNTED), Some(50));
    host.stop();
    host
}

fn events(host: &TestHost) -> i64 {
    match host.store() {
        Store::Sqlite => host
            .number("SELECT count(*) FROM lantern_events")
            .unwrap_or_default(),
        Store::Postgres => host.events(),
    }
}

fn rows_are_there_when_an_append_is_with_no_host_at_all(store: Store) {
    let host = inline_counter(store);
    for n in 0..5 {
        host.append(&Events::from(51 + n).increased("counter-0", 1));
        assert_eq!(host.number(COUNTED), Some(51 + n as i64));
    }
    // More than one batch, in one transaction.
    host.append(&Events::from(56).interleaved(5_000, 7));
    assert_eq!(host.number(COUNTED), Some(5_055));
    // What is known already is followed by nothing.
    host.append(&Events::from(56).interleaved(5_000, 7));
    assert_eq!(host.number(COUNTED), Some(5_055));
    let status = host.projector_status("counter");
    assert_eq!(status["state"], "inline");
    assert_eq!(status["update"], "inline");
    assert_eq!(status["lag"], 0);
}

fn whoever_cannot_project_an_event_takes_the_append_back(store: Store) {
    let mut host = host(store, "picky", INLINE);
    host.until_state("picky", "inline");
    host.stop();
    let counted = "SELECT sum(events) FROM picky_counters";
    let bad = Events::from(51)
        .increased("counter-0", 1)
        .poisonous("sick-stream")
        .increased("counter-1", 1);
    let said = host.command_with_input(&["append", "-"], bad.text());
    let error = said.ended_with(1).err;
    for part in [
        "nothing was appended",
        "projector `picky` refuses the append",
        "poison in sick-stream",
        "counter.increased",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!((events(&host), host.number(counted)), (50, Some(50)));
    assert!(host.projector_status("picky")["failure"].is_null());
    // Nothing of it lingers: positions, versions and rows go on from where they were.
    host.append(&Events::from(51).increased("counter-0", 1));
    assert_eq!((events(&host), host.number(counted)), (51, Some(51)));
}

/// A program's own appends, one after the other in one process, which keeps what
/// it knows of rows from one to the next.
fn a_program_that_appends_remembers_nothing_that_was_taken_back(store: Store) {
    let mut host = host(store, "counter_v1", INLINE);
    host.install("picky", "picky.wasm");
    for name in ["counter", "picky"] {
        host.until_state(name, "inline");
    }
    host.stop();
    let counted = |name: &str| {
        let counter = format!("SELECT events FROM counters WHERE name = '{name}'");
        host.number(&counter)
    };
    let program = Program::new(&host);
    program.append(&[event(51, "a", "{\"by\":1}")]).unwrap();
    assert_eq!(counted("a"), Some(1));
    // The counter has followed when the picky one, whose turn is next, refuses.
    let bad = [
        event(52, "a", "{\"by\":1}"),
        event(53, "x", "{\"by\":1,\"poison\":true}"),
    ];
    let error = program.append(&bad).unwrap_err();
    assert!(error.contains("projector `picky` refuses"), "{error}");
    // Another program's events take the positions that the refused ones had.
    host.append(&Events::from(60).increased("y", 1).increased("y", 1));
    program.append(&[event(54, "a", "{\"by\":1}")]).unwrap();
    program.append(&[event(55, "x", "{\"by\":1}")]).unwrap();
    assert_eq!(
        ["a", "x", "y"].map(counted),
        [Some(2), Some(1), Some(2)],
        "a refused append has left something in memory"
    );
    assert_eq!((events(&host), host.number(COUNTED)), (55, Some(55)));
}

/// A program that embeds the library.
struct Program {
    runtime: tokio::runtime::Runtime,
    lantern: Lantern,
}

impl Program {
    fn new(host: &TestHost) -> Self {
        let path = host.path("lantern.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let data_dir = host.path("lantern-data").to_string_lossy().into_owned();
        let inputs = Inputs {
            file: Some(FileText { path, text }),
            environment: [("LANTERN_DATA_DIR".to_owned(), data_dir)].into(),
            ..Inputs::default()
        };
        let settings = resolve(&inputs).unwrap().settings;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let lantern = runtime.block_on(Lantern::open(settings)).unwrap();
        Self { runtime, lantern }
    }

    fn append(&self, events: &[Event]) -> Result<(), String> {
        let log = self.lantern.event_store();
        let appended = log.append(events.to_vec(), Vec::new());
        self.runtime.block_on(appended).map(drop).map_err(|error| {
            let cause = error.source().map(ToString::to_string);
            format!("{error}: {}", cause.unwrap_or_default())
        })
    }
}

fn event(id: u32, stream: &str, data: &str) -> Event {
    Event {
        id: format!("program-{id}"),
        source: "/tests".into(),
        event_type: "counter.increased".into(),
        stream: stream.into(),
        tenant: "eu".into(),
        time: Timestamp(0),
        data: Payload::Text(data.into()),
        metadata: None,
    }
}

fn appends_side_by_side_are_all_followed(store: Store) {
    let host = inline_counter(store);
    scope(|scope| {
        for writer in 0..4 {
            let host = &host;
            scope.spawn(move || {
                for n in 0..10 {
                    let first = 1_000 * (writer + 1) + n * 3;
                    host.append(&Events::from(first).interleaved(3, 2));
                }
            });
        }
    });
    assert_eq!((events(&host), host.number(COUNTED)), (170, Some(170)));
}

fn kills_leave_events_and_rows_together(store: Store) {
    let host = inline_counter(store);
    let mut chance = Chance::new();
    let (mut killed, mut appended) = (0, 0);
    for n in 0..25 {
        let batch = Events::from(10_000 + 1_000 * n).interleaved(400, 9);
        let file = host.path("batch.jsonl");
        std::fs::write(&file, batch.text()).unwrap();
        let mut append = host.lantern();
        append.arg("append").arg(&file);
        append.stdout(std::process::Stdio::null());
        let mut append = append.spawn().unwrap();
        sleep(chance.time(0..120));
        append.kill().unwrap();
        match append.wait().unwrap().success() {
            true => appended += 1,
            false => killed += 1,
        }
        host.until("events and rows agree", || {
            // The server may still be at the end of a transaction.
            host.number(COUNTED) == Some(events(&host))
        });
    }
    told(
        "inline",
        &format!("{appended} appends ended by themselves, {killed} were killed"),
    );
    // Whatever was cut off can be appended again.
    for n in 0..25 {
        host.append(&Events::from(10_000 + 1_000 * n).interleaved(400, 9));
    }
    assert_eq!(
        (events(&host), host.number(COUNTED)),
        (10_050, Some(10_050))
    );
}

fn it_is_a_setting_that_can_be_changed_to_and_fro(store: Store) {
    let mut host = host(store, "counter_v1", "");
    host.until_state("counter", "live");
    host.until_number(COUNTED, 50);
    let mut total = 50;
    for round in 0..3 {
        let (settings, state) = match round % 2 {
            0 => (INLINE, "inline"),
            _ => ("", "live"),
        };
        host.stop();
        host.write_settings(&(ONE_FILE.to_owned() + settings));
        // Appended under the former setting, with no host.
        host.append(&Events::from(total + 1).increased("counter-0", 1));
        host.start();
        host.until_state("counter", state);
        host.append(&Events::from(total + 2).increased("counter-0", 1));
        total += 2;
        host.until_number(COUNTED, total as i64);
    }
    assert_eq!(events(&host), total as i64);
    host.stop();
}

fn a_new_version_takes_over_between_two_appends(store: Store) {
    let mut host = inline_counter(store);
    host.start();
    host.install("counter_v2", "counter.wasm");
    let mut total = 50;
    let mut is_new = false;
    host.until("the new version is live", || {
        for _ in 0..5 {
            total += 1;
            host.append(&Events::from(total).increased("counter-0", 1));
            assert_eq!(
                host.number(COUNTED),
                Some(total as i64),
                "no append is seen late"
            );
        }
        let is_done = is_new;
        is_new = host.projector_status("counter")["version"] == "2.0.0";
        is_done
    });
    assert_eq!(host.projector_status("counter")["state"], "inline");
    host.stop();
    host.append(&Events::from(total + 1).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(total as i64 + 1));
}

fn programs_that_never_pause_do_not_keep_a_new_version_out(store: Store) {
    let mut host = inline_counter(store);
    host.start();
    let (is_over, appended) = (AtomicBool::new(false), AtomicU32::new(0));
    scope(|scope| {
        for stream in ["a", "b"] {
            let (program, is_over, appended) = (Program::new(&host), &is_over, &appended);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let id = 1_000 + appended.fetch_add(1, Ordering::Relaxed);
                    let data = "{\"by\":1}";
                    program.append(&[event(id, stream, data)]).unwrap();
                }
            });
        }
        let began = Instant::now();
        host.install("counter_v2", "counter.wasm");
        host.until_version("counter", "2.0.0");
        let (took, number) = (began.elapsed(), appended.load(Ordering::Relaxed));
        is_over.store(true, Ordering::Relaxed);
        told(
            "inline",
            &format!("a new version took over after {took:.1?}, amid {number} appends"),
        );
    });
    let total = 50 + i64::from(appended.into_inner());
    assert_eq!((events(&host), host.number(COUNTED)), (total, Some(total)));
    host.stop();
}

fn whoever_is_paused_holds_no_append_up_and_catches_up_later(store: Store) {
    let mut host = inline_counter(store);
    host.command(&["pause", "counter"]).ok();
    host.append(&Events::from(51).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(50));
    host.command(&["resume", "counter"]).ok();
    host.append(&Events::from(52).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(50), "nobody has caught up yet");
    host.start();
    host.until_state("counter", "inline");
    assert_eq!(host.number(COUNTED), Some(52));
    host.append(&Events::from(53).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(53));
    host.command(&["drop", "counter", "--yes"]).ok();
    host.append(&Events::from(54).increased("counter-0", 1));
    assert_eq!(events(&host), 54);
    host.stop();
}

fn a_verb_that_fails_leaves_a_projector_inline(store: Store) {
    let host = inline_counter(store);
    let said = host.command(&["rollback", "counter"]);
    assert!(said.ended_with(1).err.contains("no former generation"));
    host.append(&Events::from(51).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(51));
}

/// By somebody who was killed before the rest of what was wanted.
fn whoever_is_taken_off_the_list_is_handed_over_again(store: Store) {
    let mut host = inline_counter(store);
    host.start();
    let program = Program::new(&host);
    let log = program.lantern.event_store();
    program.runtime.block_on(log.end_inline("counter")).unwrap();
    host.append(&Events::from(51).increased("counter-0", 1));
    host.until_number(COUNTED, 51);
    host.until("it is on the list", || {
        let list = program.runtime.block_on(log.inline()).unwrap();
        list == ["counter"]
    });
    host.stop();
}

fn whoever_is_rewound_catches_up_before_it_is_inline_again(store: Store) {
    let mut host = inline_counter(store);
    let back = ["rewind", "counter", "--to-position", "20", "--wait"];
    host.command(&back).ok();
    host.append(&Events::from(51).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(20), "it stands there");
    host.command(&["resume", "counter"]).ok();
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(51));
    host.append(&Events::from(52).increased("counter-0", 1));
    assert_eq!(host.number(COUNTED), Some(52));
    // And with a host that takes it off and on.
    host.start();
    host.command(&back).ok();
    assert_eq!(host.number(COUNTED), Some(20));
    host.command(&["resume", "counter"]).ok();
    host.until_number(COUNTED, 52);
    host.until_state("counter", "inline");
    host.stop();
}

fn what_was_set_aside_keeps_a_projector_beside_the_appends(store: Store) {
    let quarantine = "failure.live = \"quarantine\"\nfailure.live_retries = 0\n";
    let mut host = TestHost::on_with(store, &(ONE_FILE.to_owned() + INLINE + quarantine));
    host.append(&Events::new().increased("a", 1).poisonous("sick-stream"));
    host.install("picky", "picky.wasm");
    host.start();
    host.until_state("picky", "live");
    host.wait_for_two_heartbeats();
    host.append(
        &Events::from(3)
            .increased("sick-stream", 1)
            .increased("a", 1),
    );
    host.until_number("SELECT sum(events) FROM picky_counters", 2);
    assert_eq!(host.projector_status("picky")["dead_letters"], 2);
    host.command(&["dead-letters", "discard", "picky", "--all"])
        .ok();
    host.until_state("picky", "inline");
    host.stop();
}

//! Nothing is lost or doubled, whenever the process is killed.
//!
//! Hosts are killed (`kill -9`) at random moments and started again. After each
//! kill a reader finds rows and checkpoint in step, as every event adds one to
//! a row; at the end the rows are those of a run that nobody disturbed. Eight
//! kills as a rule; two hundred with `LANTERN_TORTURE=1` (`make torture`). Where
//! the real log is not to be had, one that is made up stands in for it.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::is_torture;
use crate::harness::real_log::RealLog;
use crate::harness::{Chance, Events, Store, TestHost, on_each_store, told};

on_each_store![
    kills_while_catching_up_lose_and_double_nothing,
    kills_during_rebuilds_and_swaps_are_not_seen_by_readers,
    a_killed_append_leaves_all_or_nothing_and_can_be_repeated,
];

/// How a host is slowed down, so that a kill meets it at work: a commit for
/// every batch, and small batches.
const COMMIT_ALWAYS: [&str; 4] = ["--set", "commit.rows=1", "--set", "commit.interval_ms=1"];

fn kills_while_catching_up_lose_and_double_nothing(store: Store) {
    let test = &format!("exactly_once::kills_while_catching_up::{}", store.name());
    match RealLog::find() {
        Some(log) => {
            let host = TestHost::on(store);
            host.install("incidents", "incidents.wasm");
            host.append_file(&log.events);
            torture(test, host, &INCIDENTS, log.len());
        }
        None => {
            let host = TestHost::on(store);
            host.install("counter_v1", "counter.wasm");
            host.append(&Events::new().interleaved(60_000, 7_000));
            torture(test, host, &COUNTER, 60_000);
        }
    }
}

/// What is projected, and how to tell whether it is right.
struct Subject {
    projector: &'static str,
    /// The events counted in its rows: in step with the checkpoint.
    counted: &'static str,
    check: fn(&TestHost),
}

const INCIDENTS: Subject = Subject {
    projector: "incidents",
    counted: "SELECT coalesce(sum(event_count), 0) FROM incident_summaries",
    check: |host| {
        if let Some(log) = RealLog::find() {
            log.assert_projected(host);
        }
    },
};

const COUNTER: Subject = Subject {
    projector: "counter",
    counted: "SELECT coalesce(sum(events), 0) FROM counters",
    check: |host| {
        let wrong = "SELECT count(*) FROM counters WHERE total <> events";
        assert_eq!(
            host.number(wrong),
            Some(0),
            "a counter that went up by 1 each time"
        );
    },
};

/// What kills met.
#[derive(Debug, Default)]
struct Met {
    /// Before the host had done anything.
    idle: usize,
    /// On the way through the log.
    catching_up: usize,
    /// On the way through the log beside what readers see.
    rebuilding: usize,
    /// When all was done.
    done: usize,
}

fn torture(test: &str, mut host: TestHost, subject: &Subject, head: i64) {
    let mut chance = Chance::new();
    let kills = if is_torture() { 200 } else { 8 };
    let mut met = Met::default();
    for _ in 0..kills {
        let before = Stand::of(&host);
        if before.live == head && before.building.is_none() {
            // All done: once more from the start, beside what readers see.
            host.command(&["rebuild", subject.projector]).ok();
        }
        let before = Stand::of(&host);
        let flags = flags(&mut chance);
        live_shortly(&mut host, &flags, &mut chance);
        let after = Stand::of(&host);
        met.note(&before, &after, head);
        assert_in_step(&host, subject, &after);
    }
    host.run_until_caught_up();
    let end = Stand::of(&host);
    assert_eq!((end.live, end.building), (head, None), "all is projected");
    assert_in_step(&host, subject, &end);
    (subject.check)(&host);
    told(
        test,
        &format!(
            "{kills} kills met a host that was {met:?} (seed {})",
            chance.seed()
        ),
    );
}

/// Starts a host and kills it: now and then anywhere in its start, else soon after
/// it has begun to work.
fn live_shortly(host: &mut TestHost, flags: &[&str], chance: &mut Chance) {
    let before = host.log().matches(AT_WORK).count();
    host.start_with(flags);
    if chance.number(0..4) > 0 {
        host.until("the host works", || {
            host.log().matches(AT_WORK).count() > before
        });
    }
    std::thread::sleep(chance.time(0..500));
    host.kill();
}

/// What a host logs when it begins to work on events.
const AT_WORK: &str = "projector started";

/// Small batches, of a size that changes: a few hundred commits for a kill.
fn flags(chance: &mut Chance) -> Vec<&'static str> {
    let sizes = [
        "batch.events=1",
        "batch.events=2",
        "batch.events=4",
        "batch.events=8",
    ];
    let size = sizes[chance.number(0..sizes.len() as u64) as usize];
    [&COMMIT_ALWAYS[..], &["--set", size]].concat()
}

/// Where a host's only projector stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Stand {
    live: i64,
    building: Option<i64>,
}

impl Stand {
    fn of(host: &TestHost) -> Self {
        let position = match host.store() {
            Store::Sqlite => {
                "(SELECT max(position) FROM lantern_checkpoints c WHERE c.generation = g.id)"
            }
            Store::Postgres => {
                "(SELECT (checkpoint ->> '')::bigint FROM lantern_progress p WHERE p.generation = g.id)"
            }
        };
        let of = |state: &str| {
            host.number(&format!(
                "SELECT coalesce({position}, 0) FROM lantern_generations g WHERE g.state = '{state}'"
            ))
        };
        Self {
            live: of("live").unwrap_or(0),
            building: of("building"),
        }
    }
}

impl Met {
    fn note(&mut self, before: &Stand, after: &Stand, head: i64) {
        let place = match after.building {
            Some(position) if before.building.is_some_and(|before| before < position) => {
                &mut self.rebuilding
            }
            None if before.live < after.live && after.live < head => &mut self.catching_up,
            _ if before == after => &mut self.idle,
            _ => &mut self.done,
        };
        *place += 1;
    }
}

fn assert_in_step(host: &TestHost, subject: &Subject, stand: &Stand) {
    let counted = host.number(subject.counted).unwrap_or(0);
    assert_eq!(
        counted, stand.live,
        "events counted in the rows, and the checkpoint beside them"
    );
}

fn kills_during_rebuilds_and_swaps_are_not_seen_by_readers(store: Store) {
    let mut chance = Chance::new();
    let mut host = TestHost::on(store);
    host.install("counter_v1", "counter.wasm");
    host.append(&Events::new().interleaved(1_500, 40));
    host.run_until_caught_up();
    let all = "SELECT name, total, events FROM counters ORDER BY name";
    let expected = host.reader().rows(all).unwrap();
    let generation = "SELECT id FROM lantern_generations WHERE state = 'live'";
    let first = host.number(generation);
    let (mut swaps, mut last) = (0, first);
    let kills = if is_torture() { 100 } else { 8 };
    for _ in 0..kills {
        if Stand::of(&host).building.is_none() {
            host.command(&["rebuild", "counter"]).ok();
        }
        let flags = [&COMMIT_ALWAYS[..], &["--set", "batch.events=1"]].concat();
        live_shortly(&mut host, &flags, &mut chance);
        assert_eq!(
            host.reader().rows(all).unwrap(),
            expected,
            "readers see all rows, killed or not"
        );
        let now = host.number(generation);
        swaps += usize::from(now != last);
        last = now;
    }
    host.run_until_caught_up();
    assert_eq!(host.reader().rows(all).unwrap(), expected);
    assert_ne!(
        host.number(generation),
        first,
        "some rebuild came to its end"
    );
    let what = format!(
        "{kills} kills, {swaps} rebuilds swapped in between (seed {})",
        chance.seed()
    );
    let test = format!(
        "exactly_once::kills_during_rebuilds_and_swaps::{}",
        store.name()
    );
    told(&test, &what);
}

fn a_killed_append_leaves_all_or_nothing_and_can_be_repeated(store: Store) {
    let test = &format!("exactly_once::a_killed_append::{}", store.name());
    let mut chance = Chance::new();
    let host = TestHost::on(store);
    let (file, count) = match RealLog::find() {
        Some(log) => (log.events.clone(), log.len()),
        None => {
            let file = host.path("events.jsonl");
            let mut out = std::fs::File::create(&file).unwrap();
            out.write_all(Events::new().interleaved(40_000, 4_000).text().as_bytes())
                .unwrap();
            (file, 40_000)
        }
    };
    let kills = if is_torture() { 50 } else { 6 };
    let mut during = 0;
    for _ in 0..kills {
        during += usize::from(append_and_kill(&host, &file, chance.time(20..500)));
        let kept = host.events();
        assert!(
            kept == 0 || kept == count,
            "{kept} events of {count} were kept"
        );
    }
    host.append_file(&file);
    assert_eq!(host.events(), count);
    let again = host.append_file(&file);
    assert!(again.out.starts_with("appended 0 events"), "{}", again.out);
    assert_eq!(host.events(), count, "an append can be repeated");
    told(
        test,
        &format!(
            "{during} of {kills} kills met the append at work (seed {})",
            chance.seed()
        ),
    );
}

/// Starts an append and kills it. Says whether it was still at work.
fn append_and_kill(host: &TestHost, file: &Path, after: Duration) -> bool {
    let mut command = host.lantern();
    command
        .arg("append")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut append = command.spawn().unwrap();
    std::thread::sleep(after);
    let was_at_work = append.try_wait().unwrap().is_none();
    append.kill().unwrap();
    append.wait().unwrap();
    was_at_work
}

//! A change of version is not noticed by readers, but for its rows.
//!
//! A reader asks every two milliseconds, by a new statement and by one that it
//! has held since the beginning, while a new version is built, while events
//! come in, through the swap and through rollbacks. It waits for nothing (its
//! busy time-out is zero), and nothing it is told may be wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Events, Reader, Store, TestHost, on_each_store, told};

on_each_store![
    a_new_version_is_built_swapped_in_and_rolled_back_under_constant_reads,
    a_rebuild_that_fails_leaves_readers_what_they_have,
];

/// Counters that are complete before the reader begins.
const COUNTERS: i64 = 300;
/// Events that each of them gets.
const EACH: i64 = 20;
/// How often the reader asks.
const PAUSE: Duration = Duration::from_millis(2);

/// What the reader asks: how many of the complete counters there are, what they
/// come to, and who wrote their rows.
const QUESTION: &str = "SELECT count(*), sum(total), min(written_by), max(written_by) FROM counters \
                        WHERE name LIKE 'counter-%'";

fn a_new_version_is_built_swapped_in_and_rolled_back_under_constant_reads(store: Store) {
    let slowly = "batch.events = 20\ncommit.rows = 1\ncommit.interval_ms = 1";
    let mut host = TestHost::on_with(store, slowly);
    let events = (COUNTERS * EACH) as u64;
    host.append(&Events::new().interleaved(events, COUNTERS as u64));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number("SELECT sum(events) FROM counters", COUNTERS * EACH);

    let poll = Poll::begin(&host);
    host.install("counter_v2", "counter.wasm");
    host.until("version 2 is being built", || {
        host.projector_status("counter")["building"]["version"] == "2.0.0"
    });
    // The old component keeps the old rows fresh meanwhile.
    let late = Events::from(events + 1)
        .increased("late", 1)
        .increased("late", 1);
    host.append(&late);
    host.until_version("counter", "2.0.0");
    host.until_number("SELECT total FROM counters WHERE name = 'late'", 2);
    poll.until_written_by(&host, "v2");
    assert_eq!(
        host.number("SELECT largest FROM counters WHERE name = 'late'"),
        Some(1),
        "the new column"
    );

    let begun = Instant::now();
    let said = host.command(&["rollback", "counter"]).ok();
    assert!(said.out.contains("1.0.0"), "{}", said.out);
    let took = begun.elapsed();
    assert_eq!(
        host.reader()
            .value("SELECT min(written_by) FROM counters")
            .unwrap(),
        "v1",
        "at once"
    );
    assert!(
        host.number("SELECT largest FROM counters").is_none(),
        "the former columns, too"
    );
    poll.until_written_by(&host, "v1");
    host.command(&["rollback", "counter"]).ok();
    assert_eq!(
        host.reader()
            .value("SELECT min(written_by) FROM counters")
            .unwrap(),
        "v2",
        "and forward again"
    );
    poll.until_written_by(&host, "v2");

    let (polls, writers) = poll.end();
    assert_eq!(
        writers,
        ["v1", "v2", "v1", "v2"],
        "what the reader saw, in order"
    );
    let what = format!(
        "{polls} polls, none disturbed; rollback took {} ms",
        took.as_millis()
    );
    told(&format!("readers_undisturbed::{}", store.name()), &what);
    host.until_state("counter", "live");
    host.append(&Events::from(events + 3).increased("late", 1));
    host.until_number("SELECT total FROM counters WHERE name = 'late'", 3);
    host.stop();
}

fn a_rebuild_that_fails_leaves_readers_what_they_have(store: Store) {
    let mut host = TestHost::on(store);
    host.append(&Events::new().interleaved(200, 10));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number("SELECT sum(events) FROM counters", 200);
    host.install("counter_v2_broken", "counter.wasm");
    host.until("the rebuild has failed", || {
        host.projector_status("counter")["building"]["failure"]["cause"].is_string()
    });
    let building = host.projector_status("counter")["building"].clone();
    assert!(
        building["failure"]["cause"]
            .to_string()
            .contains("does not know counter-0"),
        "{building}"
    );
    assert_eq!(building["failure"]["position"], 1, "{building}");
    host.append(&Events::from(201).increased("counter-0", 1));
    host.until_number("SELECT sum(events) FROM counters", 201);
    host.install("counter_v2", "counter.wasm");
    host.until_version("counter", "2.0.0");
    assert_eq!(
        host.number("SELECT sum(events) FROM counters WHERE written_by = 'v2'"),
        Some(201)
    );
}

/// A reader that never rests, in a thread of its own.
struct Poll {
    stop: Arc<AtomicBool>,
    /// Who wrote the rows, each change once.
    writers: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<u64>,
}

impl Poll {
    fn begin(host: &TestHost) -> Self {
        let (stop, writers) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let reader = host.reader();
        let (stopped, seen) = (stop.clone(), writers.clone());
        let thread = std::thread::spawn(move || poll(&reader, &stopped, &seen));
        Self {
            stop,
            writers,
            thread,
        }
    }

    /// Waits until the reader has seen rows by a writer.
    fn until_written_by(&self, host: &TestHost, writer: &str) {
        host.until(&format!("the reader sees rows by {writer}"), || {
            self.thread.is_finished()
                || self
                    .writers
                    .lock()
                    .unwrap()
                    .last()
                    .is_some_and(|last| last == writer)
        });
    }

    /// Ends the reader; says how often it asked and whose rows it saw.
    fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let polls = self
            .thread
            .join()
            .expect("the reader was told something wrong, or nothing");
        (polls, std::mem::take(&mut self.writers.lock().unwrap()))
    }
}

fn poll(reader: &Reader, stop: &AtomicBool, writers: &Mutex<Vec<String>>) -> u64 {
    let mut held = reader.hold(QUESTION);
    let mut polls = 0;
    while !stop.load(Ordering::Relaxed) {
        let by_held = held.ask().expect("a held statement is never refused");
        check(answer(&by_held), writers);
        let anew = reader.rows(QUESTION);
        let anew = anew.expect("a new statement is never refused");
        check(answer(&anew), writers);
        polls += 2;
        std::thread::sleep(PAUSE);
    }
    polls
}

type Answer = (i64, i64, String, String);

fn answer(rows: &[Vec<Value>]) -> Answer {
    let [row] = rows else {
        panic!("a sum has one row: {rows:?}");
    };
    let number = |at: usize| row[at].as_i64().expect("rows are there at all times");
    let text = |at: usize| row[at].as_str().unwrap_or_default().to_owned();
    (number(0), number(1), text(2), text(3))
}

fn check((count, total, first, last): Answer, writers: &Mutex<Vec<String>>) {
    assert_eq!(
        (count, total),
        (COUNTERS, COUNTERS * EACH),
        "a table that is not complete, or not whole"
    );
    assert_eq!(first, last, "rows of two versions at once");
    let mut writers = writers.lock().unwrap();
    if writers.last() != Some(&first) {
        writers.push(first);
    }
}

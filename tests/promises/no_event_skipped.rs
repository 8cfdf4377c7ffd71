//! No event is skipped, however late its transaction commits.
//!
//! Many writers append through each tool's own statements, to streams of their
//! own and to streams they share. Some commit late, some roll back, some roll
//! back a part, some are cut off by the server; so positions become visible out
//! of order, and some never. Meanwhile a host reads. At the end its projector,
//! the witness, has seen what is in the table: every event once, in the order of
//! positions, each stream without a hole; and every position that is missing is
//! in the book of gaps. Four seconds of writing as a rule; with `LANTERN_TORTURE=1`
//! (`make torture`) sixteen writers for a minute and 300,000 events at least, with
//! transactions that are held open for ten seconds and a crash of the server.

use std::time::Duration;

use lantern_test_servers::{Postgres, Session, TestDatabase};
use serde_json::Value;

use super::is_torture;
use crate::harness::event_table::{self as tables, EventTable};
use crate::harness::store::Place;
use crate::harness::writers::{Writers, Zeal};
use crate::harness::{Chance, Store, TestHost, told};

/// Streams that all writers append to.
const SHARED: usize = 5;

#[test]
fn of_lantern() {
    torture(&tables::LANTERN);
}

#[test]
fn of_marten() {
    torture(&tables::MARTEN);
}

#[test]
fn of_marten_that_takes_numbers_beforehand() {
    torture(&tables::MARTEN_RICH);
}

#[test]
fn of_message_db() {
    torture(&tables::MESSAGE_DB);
}

#[test]
fn of_emmett() {
    torture(&tables::EMMETT);
}

#[test]
fn of_eventsourcing() {
    torture(&tables::EVENTSOURCING);
}

#[test]
fn of_commanded() {
    torture(&tables::COMMANDED);
}

#[test]
fn of_axon() {
    torture(&tables::AXON);
}

#[test]
fn of_axon_jdbc() {
    torture(&tables::AXON_JDBC);
}

fn torture(table: &'static EventTable) {
    let Some(server) = Postgres::start() else {
        return;
    };
    let mut host = witnessing(TestHost::at(Place::on(&server), table.settings), table);
    let zeal = match is_torture() {
        true => Zeal {
            writers: 16,
            // Who waits for all others gets there with larger appends only.
            most_events: if table.one_at_a_time { 400 } else { 40 },
            span: Duration::from_secs(60),
            events: 300_000,
            hold_every: Duration::from_secs(15),
            crash: true,
        },
        false => Zeal {
            writers: 8,
            most_events: 3,
            span: Duration::from_secs(4),
            events: 1,
            hold_every: Duration::ZERO,
            crash: false,
        },
    };
    let mut chance = Chance::new();
    let shared: Vec<String> = (0..SHARED).map(|_| table.stream(&mut chance)).collect();
    let writers = Writers::begin(&host, table, &shared, zeal, &mut chance);
    let took = writers.cut_off_some(&server, host.database(), zeal, &mut chance);
    let tally = writers.end();

    let truth = count(host.database(), table.truth);
    let last = number(
        host.database(),
        &format!("SELECT max(position) FROM ({}) truth", table.truth),
    );
    host.until("the host has read all", || {
        host.projector_status("witness")["checkpoint"][""] == last
    });
    assert_all_witnessed(&host, table);
    let gaps = assert_gaps_are_in_the_book(&host, table);
    // A writer may not have left yet, and holds back what it took and never used.
    host.until("a second terminal is told that all is read", || {
        let status = host.status();
        status["head"][""] == last
            && status["held_back"].is_null()
            && status["projectors"][0]["lag"] == 0
    });
    let what = format!(
        "{truth} events in {} s, {gaps} positions without one; {tally:?} (seed {})",
        took.as_secs(),
        chance.seed()
    );
    told(&format!("no_event_skipped::{}", table.name), &what);
    assert!(
        tally.committed > 0 && tally.rolled_back > 0,
        "the writers did nothing"
    );
    host.stop();
}

/// What makes the difference: the same late commit, and no proof.
#[test]
fn without_proof_a_late_commit_is_lost_and_with_it_held_back() {
    if !Store::Postgres.is_here() {
        return;
    }
    let table = &tables::LANTERN;
    for (gaps, expected) in [
        ("ignore", vec!["first", "early", "after"]),
        ("prove", vec!["first", "late", "early", "after"]),
    ] {
        let mut host = witnessing(
            TestHost::on_with(Store::Postgres, &format!("event_store.gaps = \"{gaps}\"")),
            table,
        );
        let append = |session: &Session, id: &str| {
            session.run(&format!(
                "SELECT lantern_events.lantern_append('{id}', '{{\"id\": \"{id}\", \"type\": \"t\"}}')"
            ));
        };
        let (late, other) = (host.database().session(), host.database().session());
        // The name of the type is there from now on: who uses a new one first holds
        // up all others who do.
        append(&other, "first");
        host.until_number("SELECT count(*) FROM witnessed", 1);
        late.run("BEGIN");
        append(&late, "late");
        append(&other, "early");
        if gaps == "prove" {
            host.until("status tells what holds the log back", || {
                host.status()["held_back"].is_string()
            });
            assert_eq!(host.number("SELECT count(*) FROM witnessed"), Some(1));
        } else {
            host.until_number("SELECT count(*) FROM witnessed", 2);
        }
        late.run("COMMIT");
        append(&other, "after");
        host.until_number("SELECT count(*) FROM witnessed WHERE id = 'after'", 1);
        let found = host
            .reader()
            .rows("SELECT id FROM witnessed ORDER BY position");
        let found: Vec<Value> = found.unwrap().into_iter().flatten().collect();
        assert_eq!(found, expected, "event_store.gaps = {gaps}");
        host.stop();
    }
}

/// A transaction that is open and writes elsewhere holds nobody back.
#[test]
fn an_old_transaction_that_appends_nothing_holds_nothing_back() {
    if !Store::Postgres.is_here() {
        return;
    }
    let mut host = witnessing(TestHost::on_with(Store::Postgres, ""), &tables::LANTERN);
    let (idle, rolls_back) = (host.database().session(), host.database().session());
    idle.run("CREATE TABLE elsewhere (n bigint)");
    idle.run("BEGIN; INSERT INTO elsewhere VALUES (1)");
    let append = |session: &Session, id: &str| {
        session.run(&format!(
            "SELECT lantern_events.lantern_append('{id}', '{{\"id\": \"{id}\", \"type\": \"t\"}}')"
        ));
    };
    rolls_back.run("BEGIN");
    append(&rolls_back, "never");
    rolls_back.run("ROLLBACK");
    append(&rolls_back, "after");
    host.until_number("SELECT count(*) FROM witnessed WHERE id = 'after'", 1);
    assert_eq!(host.status()["gaps"]["passed"], 1);
    idle.run("COMMIT");
    host.stop();
}

/// A host with the witness, on a tool's table, at work.
fn witnessing(mut host: TestHost, table: &EventTable) -> TestHost {
    host.database().run(&table.schema());
    host.install("witness", "witness.wasm");
    host.start();
    host.until_state("witness", "live");
    host
}

fn assert_all_witnessed(host: &TestHost, table: &EventTable) {
    let truth = table.truth;
    let differences = host.database().query(&format!(
        "SELECT t.id, t.stream, t.version, t.position, w.id, w.stream, w.version, w.position, w.times \
         FROM ({truth}) t FULL JOIN read_models.witnessed w ON w.id = t.id \
         WHERE (t.id = w.id AND t.stream = w.stream AND t.version = w.version \
                AND t.position = w.position AND w.times = 1) IS NOT TRUE \
         ORDER BY coalesce(t.position, w.position) LIMIT 10"
    ));
    assert!(
        differences.is_empty(),
        "what is in the table, and what was witnessed: {differences:?}"
    );
    let breaks = host
        .reader()
        .rows("SELECT of, last, breaks FROM witnessed_order WHERE breaks > 0");
    assert_eq!(breaks, Ok(vec![]), "the order of events");
}

/// Asserts that the book has every missing position and none that is there; says
/// how many are missing.
fn assert_gaps_are_in_the_book(host: &TestHost, table: &EventTable) -> i64 {
    let truth = table.truth;
    let there = format!("SELECT position FROM ({truth}) t");
    let missing = format!(
        "SELECT generate_series((SELECT min(position) FROM ({truth}) f), \
                                (SELECT max(position) FROM ({truth}) l)) EXCEPT {there}"
    );
    let in_book =
        "SELECT generate_series(first_position, last_position) FROM read_models.lantern_gaps";
    let database = host.database();
    let unproven = count(database, &format!("({missing}) EXCEPT {in_book}"));
    assert_eq!(unproven, 0, "missing positions that are not in the book");
    let wrong = count(database, &format!("{in_book} INTERSECT {there}"));
    assert_eq!(wrong, 0, "positions in the book that have an event");
    count(database, &missing)
}

fn count(database: &TestDatabase, sql: &str) -> i64 {
    number(database, &format!("SELECT count(*) FROM ({sql}) counted"))
}

fn number(database: &TestDatabase, sql: &str) -> i64 {
    let number = database.query(sql).into_iter().flatten().flatten().next();
    number.and_then(|number| number.parse().ok()).unwrap()
}

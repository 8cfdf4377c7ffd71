//! A reader that stays long is waited for, and nobody behind it for long.
//!
//! To give the readers' names to other tables, PostgreSQL wants them to itself
//! for a moment. A reader in the midst of a transaction does not let it have
//! them, and everybody who comes after a waiting swap waits behind it. So a swap
//! waits shortly, steps back, and says who is in its way.

use std::time::{Duration, Instant};

use lantern_test_servers::Session;

use super::is_torture;
use crate::harness::{Events, Store, TestHost, told};

/// How long the long reader stays in the long form; four tries of the swap, else.
const THIRTY_SECONDS: Duration = Duration::from_secs(30);

/// How long a swap waits here.
const SETTINGS: &str = "read_store.lock_wait_ms = 200";
/// How long a reader has patience: much longer than a swap waits, much shorter
/// than the long reader stays.
const PATIENCE: &str = "SET lock_timeout = '5s'; SET search_path = read_models";

#[test]
fn a_swap_waits_for_a_long_reader_without_holding_up_the_others() {
    let Some((mut host, long)) = counted_and_being_read() else {
        return;
    };
    let other = reader(&host);
    // A plan that is kept has to survive the swap.
    other.run("PREPARE of_version (text) AS SELECT count(*) FROM counters WHERE written_by = $1");
    host.install("counter_v2", "counter.wasm");
    let (begun, mut polls) = (Instant::now(), 0);
    host.until("the swap was tried four times", || {
        let rows = other.query("EXECUTE of_version ('v1')");
        assert_eq!(rows, [[Some("10".to_owned())]], "others read on");
        polls += 1;
        let tries = host.log().matches("the swap waits for readers").count();
        tries >= 4 && (!is_torture() || begun.elapsed() > THIRTY_SECONDS)
    });
    told(
        "long_readers::a_swap_waits",
        &format!(
            "{polls} reads, none disturbed, while one reader stayed for {} s",
            begun.elapsed().as_secs()
        ),
    );
    let blocker = long.pid().to_string();
    let in_the_way = format!("process {blocker} ");
    host.until("status names the one in the way", || {
        let status = host.projector_status("counter");
        let trouble = status["building"]["trouble"].as_str().unwrap_or_default();
        trouble.contains("the swap waits for readers") && trouble.contains(&in_the_way)
    });
    host.until("its text does, too", || {
        let text = host.command(&["status"]).ok().out;
        text.contains("the swap waits for readers") && text.contains(&in_the_way)
    });
    assert!(host.log().contains(&blocker), "the log does, too");
    host.append(&Events::from(101).increased("counter-0", 1));
    host.until_number("SELECT sum(events) FROM counters", 101);

    long.run("COMMIT");
    host.until_version("counter", "2.0.0");
    host.until_number(
        "SELECT sum(events) FROM counters WHERE written_by = 'v2'",
        101,
    );
    let rows = other.query("EXECUTE of_version ('v2')");
    assert_eq!(rows, [[Some("10".to_owned())]], "the others see it, too");
    host.until("the trouble is over", || {
        let status = host.projector_status("counter");
        status["building"].is_null() && status["trouble"].is_null()
    });
    host.stop();
}

#[test]
fn a_rollback_in_the_way_of_a_long_reader_says_who_that_is() {
    let Some((host, long)) = counted_and_being_read() else {
        return;
    };
    long.run("COMMIT");
    host.install("counter_v2", "counter.wasm");
    host.until_version("counter", "2.0.0");
    long.run("BEGIN; SELECT * FROM counters");
    let said = host.command(&["rollback", "counter"]).ended_with(3);
    assert!(
        said.err.contains(&long.pid().to_string()) && said.err.contains("hint: "),
        "{}",
        said.err
    );
    let rows = reader(&host).query("SELECT count(*) FROM counters WHERE written_by = 'v2'");
    assert_eq!(rows, [[Some("10".to_owned())]], "nothing has changed");
    long.run("COMMIT");
    host.command(&["rollback", "counter"]).ok();
    let rows = long.query("SELECT count(*) FROM counters WHERE written_by = 'v1'");
    assert_eq!(rows, [[Some("10".to_owned())]]);
}

/// A projector that is dropped leaves tables that somebody may still be reading.
#[test]
fn what_a_long_reader_still_reads_is_dropped_after_it() {
    let Some((mut host, long)) = counted_and_being_read() else {
        return;
    };
    let other = reader(&host);
    other.run("SELECT 1");
    long.run("COMMIT; BEGIN; SELECT * FROM lantern_g1_counters LIMIT 0");
    host.install("counter_v2", "counter.wasm");
    host.until_version("counter", "2.0.0");
    // The third version of the rows: the first is what nobody can go back to.
    host.command(&["rebuild", "counter", "--wait"]).ok();
    let rows = other.query("SELECT count(*) FROM counters WHERE written_by = 'v2'");
    assert_eq!(rows, [[Some("10".to_owned())]], "others read on");
    assert!(
        long.try_query("SELECT count(*) FROM lantern_g1_counters")
            .is_ok()
    );
    long.run("COMMIT");
    host.stop();
    host.start();
    host.until("the first tables are gone", || {
        host.reader()
            .number("SELECT count(*) FROM lantern_g1_counters")
            .is_none()
    });
    host.stop();
}

/// A host with ten counters of 100 events, and somebody in the midst of reading
/// them.
fn counted_and_being_read() -> Option<(TestHost, Session)> {
    if !Store::Postgres.is_here() {
        return None;
    }
    let mut host = TestHost::on_with(Store::Postgres, SETTINGS);
    host.append(&Events::new().interleaved(100, 10));
    host.install("counter_v1", "counter.wasm");
    host.start();
    host.until_number("SELECT sum(events) FROM counters", 100);
    host.until_state("counter", "live");
    let long = reader(&host);
    long.run("BEGIN; SELECT * FROM counters");
    Some((host, long))
}

fn reader(host: &TestHost) -> Session {
    let session = host.database().session();
    session.run(PATIENCE);
    session
}

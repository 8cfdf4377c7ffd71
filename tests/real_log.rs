//! The large log of incidents, appended as it comes, ends in exactly the rows
//! that were computed independently: in one pass, after a rebuild, and whatever
//! the size of a batch.

use crate::harness::TestHost;
use crate::harness::real_log::RealLog;

#[test]
fn one_pass_and_a_rebuild_end_in_the_expected_rows() {
    let Some(log) = RealLog::find_for("real_log::one_pass_and_a_rebuild") else {
        return;
    };
    let host = projected(&log, "");
    log.assert_projected(&host);
    let said = host.command(&["rebuild", "incidents", "--wait"]).ok();
    assert!(said.out.contains("rebuilt"), "{}", said.out);
    log.assert_projected(&host);
}

#[test]
fn batches_of_one_event_end_in_the_expected_rows() {
    with_batches_of(1);
}

#[test]
fn batches_of_seven_events_end_in_the_expected_rows() {
    with_batches_of(7);
}

#[test]
fn batches_of_five_thousand_events_end_in_the_expected_rows() {
    with_batches_of(5_000);
}

fn with_batches_of(events: usize) {
    let Some(log) = RealLog::find_for(&format!("real_log::with_batches_of({events})")) else {
        return;
    };
    let host = projected(&log, &format!("batch.events = {events}"));
    log.assert_projected(&host);
}

fn projected(log: &RealLog, settings: &str) -> TestHost {
    let host = TestHost::with_settings(settings);
    host.install("incidents", "incidents.wasm");
    host.append_file(&log.events);
    host.run_until_caught_up();
    host
}

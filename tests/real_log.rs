//! The large log of incidents, appended as it comes, ends in exactly the rows
//! that were computed independently: in one pass, after a rebuild, and whatever
//! the size of a batch.

use crate::harness::real_log::RealLog;
use crate::harness::{Store, TestHost, on_each_store};

on_each_store![
    one_pass_and_a_rebuild_end_in_the_expected_rows,
    batches_of_one_event_end_in_the_expected_rows,
    batches_of_seven_events_end_in_the_expected_rows,
    batches_of_five_thousand_events_end_in_the_expected_rows,
];

fn one_pass_and_a_rebuild_end_in_the_expected_rows(store: Store) {
    let Some(log) = RealLog::find_for("real_log::one_pass_and_a_rebuild") else {
        return;
    };
    let host = projected(store, &log, "");
    log.assert_projected(&host);
    let said = host.command(&["rebuild", "incidents", "--wait"]).ok();
    assert!(said.out.contains("rebuilt"), "{}", said.out);
    log.assert_projected(&host);
}

fn batches_of_one_event_end_in_the_expected_rows(store: Store) {
    with_batches_of(store, 1);
}

fn batches_of_seven_events_end_in_the_expected_rows(store: Store) {
    with_batches_of(store, 7);
}

fn batches_of_five_thousand_events_end_in_the_expected_rows(store: Store) {
    with_batches_of(store, 5_000);
}

fn with_batches_of(store: Store, events: usize) {
    let Some(log) = RealLog::find_for(&format!("real_log::with_batches_of({events})")) else {
        return;
    };
    let host = projected(store, &log, &format!("batch.events = {events}"));
    log.assert_projected(&host);
}

fn projected(store: Store, log: &RealLog, settings: &str) -> TestHost {
    let host = TestHost::on_with(store, settings);
    host.install("incidents", "incidents.wasm");
    host.append_file(&log.events);
    host.run_until_caught_up();
    host
}

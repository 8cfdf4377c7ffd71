//! `run`, `pause`, `resume`, `rebuild`, `rollback`, `drop`: with and without a host.

use super::{COUNTED, counting};
use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    a_paused_projector_stands_still_over_a_restart_until_it_is_resumed,
    verbs_work_when_no_host_runs,
    a_rebuild_is_done_by_the_host_that_runs,
    a_dropped_projector_is_gone_at_once_and_its_neighbour_is_not,
    a_failed_projector_is_resumed_at_the_same_event,
    a_verb_on_a_projector_that_is_not_there_names_those_that_are,
    only_one_host_works_on_one_folder,
    running_until_caught_up_tells_of_a_failed_projector_by_its_exit_code,
];

fn a_paused_projector_stands_still_over_a_restart_until_it_is_resumed(store: Store) {
    let mut host = counting(store);
    let said = host.command(&["pause", "counter"]).ok();
    assert_eq!(said.out, "counter is paused\n");
    host.until_state("counter", "paused");
    host.until("its worker has stopped", || {
        host.projector_status("counter")["last_cycle_at"].is_null()
    });
    host.append(&Events::from(51).increased("counter-0", 1));
    host.stop();
    assert_eq!(host.projector_status("counter")["state"], "paused");
    host.start();
    host.wait_for_two_heartbeats();
    assert_eq!(host.number(COUNTED), Some(50), "over a restart, too");
    assert_eq!(host.projector_status("counter")["lag"], 1);
    assert_eq!(
        host.command(&["resume", "counter"]).ok().out,
        "counter goes on\n"
    );
    host.until_number(COUNTED, 51);
    host.stop();
}

fn verbs_work_when_no_host_runs(store: Store) {
    let host = TestHost::on(store);
    host.append(&Events::new().interleaved(50, 5));
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    assert_eq!(host.status()["host"]["running"], false);
    assert_eq!(host.projector_status("counter")["state"], "stopped");

    host.command(&["pause", "counter"]).ok();
    host.append(&Events::from(51).increased("counter-0", 1));
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(50));
    host.command(&["resume", "counter"]).ok();
    host.run_until_caught_up();
    assert_eq!(host.number(COUNTED), Some(51));

    let said = host.command(&["rebuild", "counter", "--wait"]).ok();
    assert!(said.out.contains("counter is rebuilt"), "{}", said.out);
    assert_eq!(
        host.number("SELECT id FROM lantern_generations WHERE state = 'live'"),
        Some(2)
    );
    let said = host.command(&["rollback", "counter"]).ok();
    assert!(
        said.out.contains("readers see version 1.0.0"),
        "{}",
        said.out
    );
    assert_eq!(
        host.number("SELECT id FROM lantern_generations WHERE state = 'live'"),
        Some(1)
    );

    let said = host.command(&["drop", "counter", "--yes"]).ok();
    assert_eq!(said.out, "counter is dropped\n");
    assert!(host.projector_status("counter").is_null());
    assert_eq!(
        host.reader().tables_like("counters"),
        0,
        "its tables are gone"
    );
}

fn a_rebuild_is_done_by_the_host_that_runs(store: Store) {
    let mut host = counting(store);
    let said = host.command(&["rebuild", "counter", "--wait"]).ok();
    assert!(said.out.contains("counter is rebuilt"), "{}", said.out);
    assert_eq!(host.number(COUNTED), Some(50));
    let said = host.command(&["rebuild", "counter"]).ok();
    assert!(said.out.contains("begun"), "{}", said.out);
    host.until_number("SELECT id FROM lantern_generations WHERE state = 'live'", 3);
    assert_eq!(host.number(COUNTED), Some(50));
    host.stop();
}

fn a_dropped_projector_is_gone_at_once_and_its_neighbour_is_not(store: Store) {
    let mut host = counting(store);
    host.install("picky", "picky.wasm");
    host.until_number("SELECT sum(events) FROM picky_counters", 50);
    let refused = host.command(&["drop", "counter"]).ended_with(1);
    assert!(
        refused.err.contains("--yes"),
        "nobody can be asked: {}",
        refused.err
    );
    host.command(&["drop", "counter", "--yes"]).ok();
    assert!(
        host.reader().value("SELECT 1 FROM counters").is_err(),
        "its table is gone"
    );
    host.append(&Events::from(51).increased("counter-0", 1));
    host.until_number("SELECT sum(events) FROM picky_counters", 51);
    assert!(
        host.projector_status("counter").is_null(),
        "its file is not taken again by itself"
    );
    host.stop();
}

fn a_failed_projector_is_resumed_at_the_same_event(store: Store) {
    let mut host = TestHost::on(store);
    host.append(
        &Events::new()
            .increased("a", 1)
            .poisonous("a")
            .increased("a", 1),
    );
    host.install("picky", "picky.wasm");
    host.start();
    host.until_state("picky", "failed");
    let first = host.projector_status("picky")["failure"]["at"].clone();
    host.command(&["resume", "picky"]).ok();
    host.until("it has failed anew", || {
        let failure = host.projector_status("picky")["failure"].clone();
        failure["position"] == 2 && failure["at"] != first
    });
    assert_eq!(
        host.number("SELECT sum(events) FROM picky_counters"),
        Some(1)
    );
    host.stop();
}

fn a_verb_on_a_projector_that_is_not_there_names_those_that_are(store: Store) {
    let host = TestHost::on(store);
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    for verb in [
        &["pause", "nobody"][..],
        &["resume", "nobody"],
        &["rollback", "nobody"],
        &["rebuild", "nobody"],
        &["drop", "nobody", "--yes"],
    ] {
        let said = host.command(verb).ended_with(1);
        assert!(
            said.err.contains("there is no projector `nobody`"),
            "{verb:?}: {}",
            said.err
        );
        assert!(
            said.err.contains("hint: there are: counter"),
            "{verb:?}: {}",
            said.err
        );
        assert_eq!(said.out, "", "{verb:?}");
    }
    let said = host.command(&["rollback", "counter"]).ended_with(1);
    assert!(
        said.err.contains("error: "),
        "there is nothing to go back to: {}",
        said.err
    );
}

fn only_one_host_works_on_one_folder(store: Store) {
    let mut host = counting(store);
    let said = host.command(&["run"]).ended_with(1);
    assert!(
        said.err.contains("a host is already running"),
        "{}",
        said.err
    );
    assert!(said.err.contains("hint: "), "{}", said.err);
    host.append(&Events::from(51).increased("counter-0", 1));
    host.until_number(COUNTED, 51);
    host.stop();
}

fn running_until_caught_up_tells_of_a_failed_projector_by_its_exit_code(store: Store) {
    let host = TestHost::on(store);
    host.append(&Events::new().increased("a", 1).poisonous("a"));
    host.install("picky", "picky.wasm");
    host.install("counter_v1", "counter.wasm");
    let said = host.command(&["run", "--until-caught-up"]).ended_with(1);
    assert!(
        said.out.contains("picky failed: the projector panicked"),
        "{}",
        said.out
    );
    assert_eq!(host.number(COUNTED), Some(2), "its neighbour is done");
}

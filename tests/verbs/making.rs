//! `new` and `build`; help, usage and exit codes.

use std::fs;

use crate::harness::{TestHost, skipped};

#[test]
fn exit_codes_tell_whose_affair_it_was() {
    let host = TestHost::new();
    assert!(host.command(&["--help"]).ok().out.contains("Exit codes"));
    host.command(&["--version"]).ok();
    host.command(&[]).ended_with(2);
    host.command(&["frobnicate"]).ended_with(2);
    host.command(&["pause"]).ended_with(2);
    host.command(&["pause", "nobody"]).ended_with(1);
    host.command(&["status", "--set", "no.such=1"])
        .ended_with(1);
    fs::write(host.path("file"), "").unwrap();
    let said = host
        .command(&["append", "-", "--data-dir", "file/data"])
        .ended_with(3);
    assert!(said.err.contains("error: "), "{}", said.err);
}

#[test]
fn a_new_project_is_built_and_run_as_it_is() {
    let host = TestHost::new();
    let said = host.command(&["new", "page-visits"]).ok();
    assert!(
        said.out.contains("lantern build page-visits"),
        "{}",
        said.out
    );
    let again = host.command(&["new", "page-visits"]).ended_with(1);
    assert!(again.err.contains("not empty"), "{}", again.err);
    host.command(&["new", "Page Visits"]).ended_with(1);
    let built = host.command(&["build", "page-visits"]);
    if built.code != 0
        && ["registry", "network", "download", "offline"]
            .iter()
            .any(|word| built.err.contains(word))
    {
        return skipped(
            "verbs::a_new_project",
            &format!("its dependencies cannot be had:\n{}", built.err),
        );
    }
    built.ok();
    host.command(&["append", "page-visits/events.jsonl"]).ok();
    let said = host.run_until_caught_up();
    assert!(said.out.contains('1'), "{}", said.out);
    let status = host.projector_status("page_visits");
    let table = status["tables"][0].as_str().expect("it has a table");
    let rows = host
        .command(&["query", table, "--format", "json"])
        .ok()
        .json();
    assert!(
        rows.as_array().is_some_and(|rows| !rows.is_empty()),
        "its events give rows"
    );
}

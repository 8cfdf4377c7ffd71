//! Each example's events, appended, projected and queried as its README says,
//! end in the rows that a script computed without any of our code.

use std::path::{Path, PathBuf};

use crate::harness::{Store, TestHost, assert_rows, on_each_store, places};

on_each_store![every_example_ends_in_its_expected_rows];

fn every_example_ends_in_its_expected_rows(store: Store) {
    let mut compared = 0;
    for folder in folders(&places::root().join("examples")) {
        let events = folder.join("events.jsonl");
        if events.exists() {
            compared += check(store, &folder, &events);
        }
    }
    assert!(compared >= 3, "only {compared} tables were compared");
}

/// Runs one example; returns how many tables were compared.
fn check(store: Store, folder: &Path, events: &Path) -> usize {
    let example = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .replace('-', "_");
    let host = TestHost::on(store);
    host.install(&example, &format!("{example}.wasm"));
    host.append_file(events);
    host.run_until_caught_up();
    let expected = std::fs::read_dir(folder.join("expected"))
        .expect("an example with events has expected rows");
    let mut compared = 0;
    for file in expected.flatten().map(|entry| entry.path()) {
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let table = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&file).expect("the file is there");
            let found = host
                .command(&["query", &table, "--format", "json"])
                .ok()
                .json();
            let expected = serde_json::from_str(&text).expect("expected rows are JSON");
            assert_rows(&format!("{example}: {table}"), &found, &expected);
            compared += 1;
        }
    }
    compared
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir)
        .expect("the examples are there")
        .flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect()
}

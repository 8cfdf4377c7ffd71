//! Each example's events, appended, projected and queried as its README says,
//! end in the rows that a script computed without any of our code.
//!
//! An example is a folder with `events.jsonl`. Its components are those of the
//! package in the folder and of packages right below it, which project the same
//! events; `expected` has a file for each table of all of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Store, TestHost, assert_rows, on_each_store, places};

on_each_store![
    every_example_ends_in_its_expected_rows,
    a_projector_that_catches_up_is_fed_newer_events_alone,
    autonomy_runs_inline_and_a_contradiction_takes_the_append_back,
];

fn every_example_ends_in_its_expected_rows(store: Store) {
    let mut compared = 0;
    for folder in folders(&examples()) {
        let events = folder.join("events.jsonl");
        if events.exists() {
            let host = host_of(store, &folder);
            host.append_file(&events);
            host.run_until_caught_up();
            compared += compare(&host, &folder);
        }
    }
    assert!(compared >= 15, "only {compared} tables were compared");
}

fn a_projector_that_catches_up_is_fed_newer_events_alone(store: Store) {
    let folder = examples().join("billing");
    let text = read(&folder.join("events.jsonl"));
    let lines: Vec<&str> = text.lines().collect();
    let (first, newer) = lines.split_at(lines.len() / 2);
    let host = host_of(store, &folder);
    let append = |lines: &[&str]| {
        let input = lines.join("\n");
        host.command_with_input(&["append", "-"], input).ok();
    };

    append(first);
    host.run_until_caught_up();
    let come_to = host.projector_status("billing")["checkpoint"][""].clone();
    append(newer);
    assert_eq!(host.projector_status("billing")["lag"], newer.len());
    let log = host.run_until_caught_up().err;
    let start = log
        .lines()
        .find(|line| line.contains("projector started projector=billing"))
        .expect("the log tells from where it goes on");
    assert!(start.ends_with(&format!(" position={come_to}")), "{start}");
    assert_eq!(compare(&host, &folder), 4);
}

fn autonomy_runs_inline_and_a_contradiction_takes_the_append_back(store: Store) {
    let folder = examples().join("autonomy");
    let settings = read(&folder.join("lantern.toml"));
    // Without the comments, which name settings that are not set.
    let settings: Vec<&str> = settings
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let mut host = host_with(store, &folder, &settings.join("\n"));
    let text = read(&folder.join("events.jsonl"));
    let lines: Vec<&str> = text.lines().collect();
    for (n, lines) in lines.chunks(50).enumerate() {
        let input = lines.join("\n");
        host.command_with_input(&["append", "-"], input).ok();
        if n == 0 {
            host.start();
            host.until_state("autonomy", "inline");
            // From here on nobody but those who append.
            host.stop();
        }
        assert_eq!(host.projector_status("autonomy")["lag"], 0);
    }
    assert_eq!(compare(&host, &folder), 9);

    let sound = |id: &str| {
        let event = serde_json::json!({
            "specversion": "1.0", "id": id, "source": "/tests", "type": "queue.depth_changed",
            "subject": "queue/q-new", "tenant": "acme", "time": "2030-01-01T00:00:00Z",
            "data": { "pool": "q-new", "runnable_tasks": 1 },
        });
        event.to_string()
    };
    let contradiction = serde_json::json!({
        "specversion": "1.0", "id": "c-1", "source": "/tests", "type": "rule.enabled",
        "subject": "rule/r-unknown", "tenant": "acme", "time": "2030-01-01T00:00:00Z",
        "data": { "rule_id": "r-unknown" },
    });
    let head = host.status()["head"].clone();
    let input = format!("{}\n{contradiction}\n", sound("s-1"));
    let said = host.command_with_input(&["append", "-"], input);
    let error = said.ended_with(1).err;
    assert!(
        error.contains("projector `autonomy` refuses the append"),
        "{error}"
    );
    assert_eq!(host.status()["head"], head, "none of the two was kept");
    assert_eq!(compare(&host, &folder), 9);
}

/// A host with the components of an example.
fn host_of(store: Store, folder: &Path) -> TestHost {
    host_with(store, folder, "")
}

fn host_with(store: Store, folder: &Path, settings: &str) -> TestHost {
    let host = TestHost::on_with(store, settings);
    let packages = std::iter::once(folder.to_owned()).chain(folders(folder));
    for package in packages {
        let component = package_name(&package).replace('-', "_");
        host.install(&component, &format!("{component}.wasm"));
    }
    host
}

/// Compares the tables for which there are expected rows; returns how many.
fn compare(host: &TestHost, folder: &Path) -> usize {
    let expected =
        fs::read_dir(folder.join("expected")).expect("an example with events has expected rows");
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
            let found = host
                .command(&["query", &table, "--format", "json"])
                .ok()
                .json();
            let expected = serde_json::from_str(&read(&file)).expect("expected rows are JSON");
            assert_rows(&shown(&file), &found, &expected);
            compared += 1;
        }
    }
    compared
}

/// The folders with a package right below this one, in order.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the examples are there").flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect();
    found.sort();
    found
}

/// The name that a folder's `Cargo.toml` gives its package.
fn package_name(folder: &Path) -> String {
    let manifest = read(&folder.join("Cargo.toml"));
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.unwrap_or_else(|| panic!("the package in {} has a name", shown(folder)))
        .to_owned()
}

fn examples() -> PathBuf {
    places::root().join("examples")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)))
}

fn shown(path: &Path) -> String {
    let within = path.strip_prefix(examples()).unwrap_or(path);
    within.display().to_string()
}

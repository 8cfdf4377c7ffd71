//! `status`, `inspect`, `config`, `query`, `streams`: what they show.

use std::fs;

use serde_json::{Value, json};

use super::counting;
use crate::harness::{Events, Store, TestHost, assert_rows, component, on_each_store};

on_each_store![
    status_tells_all_there_is_to_know_as_json,
    query_filters_orders_limits_and_formats,
    streams_are_listed_by_name,
];

fn status_tells_all_there_is_to_know_as_json(store: Store) {
    let mut host = counting(store);
    host.until_state("counter", "live");
    let status = host.status();
    assert_eq!(status["head"], json!({ "": 50 }));
    assert_eq!(status["host"]["pid"], host.pid());
    for field in ["instance", "started_at", "heartbeat_at"] {
        assert!(!status["host"][field].is_null(), "host.{field}");
    }
    let projector = &status["projectors"][0];
    let expected = [
        ("name", json!("counter")),
        ("version", json!("1.0.0")),
        ("state", json!("live")),
        ("wanted", json!("running")),
        ("checkpoint", json!({ "": 50 })),
        ("lag", json!(0)),
        ("file", json!("counter.wasm")),
        ("tables", json!(["counters"])),
        ("failure", Value::Null),
        ("trouble", Value::Null),
        ("building", Value::Null),
        ("can_roll_back_to", Value::Null),
    ];
    for (field, value) in expected {
        assert_eq!(projector[field], value, "{field} of {projector:#}");
    }
    for field in ["digest", "events_per_second", "last_cycle_at", "live_at"] {
        assert!(!projector[field].is_null(), "{field} of {projector:#}");
    }
    assert_eq!(status["refused"], json!([]));
    let text = host.command(&["status"]).ok().out;
    assert!(
        text.contains("counter") && text.contains("1.0.0") && text.contains("live"),
        "{text}"
    );
    host.stop();
}

#[test]
fn inspect_shows_what_a_component_says_of_itself_and_what_is_wrong_with_others() {
    let host = TestHost::new();
    let file = component("counter_v1");
    let file = file.to_string_lossy();
    let found = host.command(&["inspect", &file, "--json"]).ok().json();
    assert_eq!(found["description"]["name"], "counter");
    assert_eq!(found["description"]["version"], "1.0.0");
    assert_eq!(
        found["description"]["wants"]["types"],
        json!(["counter.increased"])
    );
    assert_eq!(found["description"]["tables"][0]["name"], "counters");
    let text = host.command(&["inspect", &file]).ok().out;
    assert!(
        text.contains("counter 1.0.0") && text.contains("table counters"),
        "{text}"
    );
    fs::write(host.path("bad.wasm"), "no").unwrap();
    let said = host.command(&["inspect", "bad.wasm"]).ended_with(1);
    assert!(said.err.contains("not a WebAssembly file"), "{}", said.err);
    let said = host.command(&["inspect", "absent.wasm"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("absent.wasm"), "{}", said.err);
    assert!(
        !host.path("lantern-data").exists(),
        "looking changes nothing"
    );
}

#[test]
fn config_tells_where_each_value_came_from() {
    let host = TestHost::with_settings("batch.events = 7");
    let mut command = host.lantern();
    command
        .env("LANTERN_COMMIT_ROWS", "9")
        .args(["config", "--json", "--set", "cache.mib=3"]);
    let output = command.output().unwrap();
    let settings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = |key: &str| {
        let setting = settings
            .as_array()
            .unwrap()
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap();
        (
            setting["value"].clone(),
            setting["origin"].as_str().unwrap().to_owned(),
        )
    };
    let (value, origin) = found("batch.events");
    assert!(
        value == 7 && origin.contains("lantern.toml"),
        "{value} from {origin}"
    );
    let (value, origin) = found("commit.rows");
    assert!(
        value == 9 && origin.contains("LANTERN_COMMIT_ROWS"),
        "{value} from {origin}"
    );
    let (value, origin) = found("cache.mib");
    assert!(
        value == 3 && origin.contains("--set"),
        "{value} from {origin}"
    );
    assert_eq!(found("retry.first_ms").1, "default");
    host.write_settings("batch.event = 7");
    let said = host.command(&["config"]).ended_with(1);
    assert!(
        said.err.contains("batch.event") && said.err.contains("batch.events"),
        "{}",
        said.err
    );
}

fn query_filters_orders_limits_and_formats(store: Store) {
    let host = TestHost::on(store);
    host.append(
        &Events::new()
            .increased("a", 5)
            .increased("b", 7)
            .increased("c", 5)
            .increased("a", 1),
    );
    host.install("counter_v1", "counter.wasm");
    host.run_until_caught_up();
    let names = |arguments: &[&str]| {
        let rows = host
            .command(&[&["query", "counters", "--format", "json"], arguments].concat())
            .ok()
            .json();
        let names = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["a", "b", "c"]);
    assert_eq!(names(&["--order", "-total", "--limit", "2"]), ["b", "a"]);
    assert_eq!(names(&["--where", "total=5"]), ["c"]);
    assert_eq!(
        names(&["--where", "total=5", "--where", "name=a"]),
        Vec::<String>::new()
    );
    assert_eq!(names(&["--where", "total is null"]), Vec::<String>::new());
    let all = host
        .command(&["query", "counters", "--format", "json"])
        .ok()
        .json();
    let row = |name, total, events| json!({ "name": name, "total": total, "events": events, "written_by": "v1" });
    assert_rows(
        "counters",
        &all,
        &json!([row("a", 6, 2), row("b", 7, 1), row("c", 5, 1)]),
    );
    let csv = host
        .command(&["query", "counters", "--format", "csv", "--limit", "1"])
        .ok()
        .out;
    assert_eq!(csv, "name,total,events,written_by\na,6,2,v1\n");
    let table = host.command(&["query", "counters"]).ok().out;
    assert!(
        table.contains("written_by") && table.lines().count() >= 4,
        "{table}"
    );
    for (arguments, part) in [
        (&["query", "nothing"][..], "there are: counters"),
        (
            &["query", "counters", "--where", "colour=1"],
            "no column `colour`",
        ),
        (
            &["query", "counters", "--where", "total=many"],
            "an integer",
        ),
        (
            &["query", "counters", "--order", "colour"],
            "no column `colour`",
        ),
    ] {
        let said = host.command(arguments).ended_with(1);
        assert!(said.err.contains(part), "{arguments:?}: {}", said.err);
    }
    host.command(&["query", "counters", "--where", "total>5"])
        .ended_with(2);
    host.command(&["query", "counters", "--format", "xml"])
        .ended_with(2);
}

fn streams_are_listed_by_name(store: Store) {
    let host = TestHost::on(store);
    host.append(
        &Events::new()
            .increased("b-1", 1)
            .increased("a-1", 1)
            .increased("b-2", 1)
            .increased("b-1", 1),
    );
    let listed = |arguments: &[&str]| {
        let streams = host
            .command(&[&["streams", "--json"], arguments].concat())
            .ok()
            .json();
        let of = |s: &Value| {
            format!(
                "{}={}",
                s["stream"].as_str().unwrap_or_default(),
                s["version"]
            )
        };
        streams
            .as_array()
            .unwrap()
            .iter()
            .map(of)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["a-1=1", "b-1=2", "b-2=1"]);
    assert_eq!(listed(&["b-"]), ["b-1=2", "b-2=1"]);
    assert_eq!(listed(&["--prefix", "b-"]), ["b-1=2", "b-2=1"]);
    host.command(&["streams", "b-", "--prefix", "a-"])
        .ended_with(2);
    assert_eq!(listed(&["--limit", "1"]), ["a-1=1"]);
}

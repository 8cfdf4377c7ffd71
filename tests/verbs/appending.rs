//! `append`: files and pipes, good and bad.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    a_bad_line_is_named_by_its_number_and_nothing_is_kept,
    with_rejects_good_lines_go_in_and_bad_ones_are_written_there,
    files_may_be_plain_or_gzip_and_given_twice,
];

fn a_bad_line_is_named_by_its_number_and_nothing_is_kept(store: Store) {
    let host = TestHost::on(store);
    let good = Events::new().increased("a", 1).increased("a", 1);
    for (bad, part) in [
        ("no json", "not a JSON object"),
        (r#"{"specversion":"1.0"}"#, "is missing"),
        (
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"s","time":"yesterday"}"#,
            "`time`",
        ),
        (
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#,
            "`subject` is missing",
        ),
        (
            r#"{"specversion":"0.3","id":"1","source":"/s","type":"t","subject":"s"}"#,
            "only 1.0",
        ),
    ] {
        let events = good.clone().line(bad).increased("a", 1);
        let said = host
            .command_with_input(&["append", "-"], events.text())
            .ended_with(1);
        assert!(said.err.contains("line 3"), "{bad}: {}", said.err);
        assert!(said.err.contains(part), "{bad}: {}", said.err);
        assert!(
            said.err.contains("--rejects"),
            "the next step: {}",
            said.err
        );
    }
    assert_eq!(host.status()["head"], json!({}), "nothing was kept");
}

fn with_rejects_good_lines_go_in_and_bad_ones_are_written_there(store: Store) {
    let host = TestHost::on(store);
    let events = Events::new()
        .increased("a", 1)
        .line("no json")
        .increased("a", 1)
        .line(r#"{"id":"half"}"#);
    let said = host
        .command_with_input(&["append", "-", "--rejects", "wrong.jsonl"], events.text())
        .ok();
    assert!(
        said.out.contains("appended 2 events") && said.out.contains("2 lines rejected"),
        "{}",
        said.out
    );
    let rejects = fs::read_to_string(host.path("wrong.jsonl")).unwrap();
    let rejects: Vec<Value> = rejects
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rejects.len(), 2);
    assert_eq!(
        (&rejects[0]["line"], &rejects[1]["line"]),
        (&json!(2), &json!(4))
    );
    assert!(
        rejects[0]["reason"].as_str().unwrap().contains("JSON"),
        "{rejects:?}"
    );
    assert!(
        rejects[0].to_string().contains("no json"),
        "the line itself is kept: {rejects:?}"
    );
    assert_eq!(host.status()["head"], json!({ "": 2 }));
}

fn files_may_be_plain_or_gzip_and_given_twice(store: Store) {
    let host = TestHost::on(store);
    let events = Events::new().interleaved(20, 3);
    fs::write(host.path("events.jsonl"), events.text()).unwrap();
    let mut zip = GzEncoder::new(
        fs::File::create(host.path("events.jsonl.gz")).unwrap(),
        Compression::fast(),
    );
    zip.write_all(events.text().as_bytes()).unwrap();
    zip.finish().unwrap();
    let said = host.command(&["append", "events.jsonl.gz"]).ok();
    assert!(
        said.out.starts_with("appended 20 events; last position 20"),
        "{}",
        said.out
    );
    let said = host.command(&["append", "events.jsonl"]).ok();
    assert!(
        said.out
            .starts_with("appended 0 events; 20 events there already"),
        "{}",
        said.out
    );
    let said = host.append(
        &Events::from(20)
            .increased("counter-0", 1)
            .increased("counter-0", 1),
    );
    assert!(
        said.out
            .starts_with("appended 1 event; 1 event there already"),
        "{}",
        said.out
    );
    let cut = fs::read(host.path("events.jsonl.gz")).unwrap();
    fs::write(host.path("cut.gz"), &cut[..cut.len() / 2]).unwrap();
    let said = host.command(&["append", "cut.gz"]).ended_with(1);
    assert!(said.err.contains("error: "), "{}", said.err);
    let said = host.command(&["append", "absent.jsonl"]).ended_with(1);
    assert!(said.err.contains("absent.jsonl"), "{}", said.err);
    assert_eq!(host.status()["head"], json!({ "": 21 }));
}

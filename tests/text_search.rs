//! Rows found by words: the example `order_search` against searches that a script
//! has made without any of our code, on both stores.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::{Store, TestHost, on_each_store, places};

on_each_store![
    each_search_finds_the_expected_orders,
    an_order_is_found_as_soon_as_it_is_there,
    a_rebuild_keeps_what_is_found,
    a_table_without_words_says_so,
];

fn each_search_finds_the_expected_orders(store: Store) {
    let host = host(store);
    let expected: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&shop("expected/searches/order_search.json"))
            .expect("expected searches are JSON");
    assert!(expected.len() >= 15);
    for (words, orders) in &expected {
        let by_key = ["--order", "tenant", "--order", "order_id"];
        assert_eq!(&search(&host, words, &by_key), orders, "{words:?}");
        // The same ones in the order of what fits best.
        let mut by_relevance = search(&host, words, &[]);
        by_relevance.sort();
        assert_eq!(&by_relevance, orders, "{words:?}");
    }
    let of_one = search(&host, "lindqvist", &["--where", "tenant=tea-room"]);
    let of_all = &expected["lindqvist"];
    assert!(!of_one.is_empty() && of_one.len() < of_all.len());
    assert!(of_one.iter().all(|order| order.starts_with("tea-room ")));
    // Readers who know nothing of Lantern find as many by the readers' name.
    let condition = match store {
        Store::Sqlite => "words MATCH 'lindqvist'",
        Store::Postgres => "words @@ plainto_tsquery('simple', 'lindqvist')",
    };
    let count = format!("SELECT count(*) FROM order_search_text WHERE {condition}");
    assert_eq!(host.number(&count), Some(of_all.len() as i64));
}

fn an_order_is_found_as_soon_as_it_is_there(store: Store) {
    let mut host = TestHost::on_with(store, &shop("lantern.toml"));
    host.install("order_search", "order_search.wasm");
    host.install("order_analytics", "order_analytics.wasm");
    append(&host, &shop("events.jsonl"));
    host.start();
    host.until("the search is ready", || {
        host.command(&["query", "order_search", "--search", "lamp"])
            .code
            == 0
    });
    // As shipped: the days are worked in batches, the search at once.
    host.until_state("order_analytics", "sleeping");
    let strategy = |name: &str| host.projector_status(name)["update"].clone();
    assert_eq!(
        strategy("order_analytics"),
        "batched, every 10s or 500 events"
    );
    assert_eq!(strategy("order_search"), "immediate");
    append(
        &host,
        r#"{"specversion":"1.0","id":"late","source":"/shop","type":"order.placed","subject":"order/o-900","time":"2026-05-20T08:00:00Z","datacontenttype":"application/json","data":{"order_id":"o-900","event_version":1,"customer_id":"c-1","status":"placed","currency":"EUR","placed_at":"2026-05-20T08:00:00Z","updated_at":"2026-05-20T08:00:00Z","lines":[],"note":"quince marmalade"},"tenant":"tea-room"}"#,
    );
    host.until("the new order is found", || {
        search(&host, "Quince ada", &[]) == ["tea-room o-900"]
    });
    host.stop();
}

fn a_rebuild_keeps_what_is_found(store: Store) {
    let mut host = host(store);
    let before = search(&host, "keller", &["--order", "order_id"]);
    assert!(!before.is_empty());
    host.start();
    host.command(&["rebuild", "order_search", "--wait"]).ok();
    assert_eq!(search(&host, "keller", &["--order", "order_id"]), before);
    host.stop();
}

fn a_table_without_words_says_so(store: Store) {
    let host = host(store);
    let said = host.command(&["query", "search_customers", "--search", "ada"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("has no text index"), "{}", said.err);
    let said = host.command(&["query", "order_search", "--search", "!?"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("no word to search for"), "{}", said.err);
}

/// A host that has caught up with the example's events.
fn host(store: Store) -> TestHost {
    let host = TestHost::on(store);
    host.install("order_search", "order_search.wasm");
    append(&host, &shop("events.jsonl"));
    host.run_until_caught_up();
    host
}

fn append(host: &TestHost, lines: &str) {
    host.command_with_input(&["append", "-"], lines).ok();
}

/// Tenant and number of each order that is found.
fn search(host: &TestHost, words: &str, further: &[&str]) -> Vec<String> {
    let mut command = vec![
        "query",
        "order_search",
        "--search",
        words,
        "--format",
        "json",
    ];
    command.extend(further);
    let found = host.command(&command).ok().json();
    let orders = found.as_array().expect("rows are an array").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    orders
        .map(|order| format!("{} {}", text(&order["tenant"]), text(&order["order_id"])))
        .collect()
}

/// A file of the example.
fn shop(file: &str) -> String {
    let path = places::root().join("examples/shop").join(file);
    fs::read_to_string(path).expect("the example is there")
}

//! Version guards: what comes late or twice leaves no trace but a count.

use serde_json::{Value, json};

use crate::harness::{Events, Store, TestHost, assert_rows, on_each_store};

on_each_store![stale_commands_are_ignored_and_counted];

fn stale_commands_are_ignored_and_counted(store: Store) {
    let mut host = TestHost::on(store);
    host.install("latest", "latest.wasm");
    // Versions in an order of their own: of each stream, 5 is the newest.
    for (n, version) in [2, 5, 3, 5, 1].into_iter().enumerate() {
        let first = 2 * n as u64 + 1;
        let events = Events::from(first)
            .increased("a", version)
            .increased("b", version);
        host.append(&events);
        if n == 0 {
            host.start();
            host.until_state("latest", "live");
        }
        host.command(&["wait", "latest", "--head", "--timeout", "90s"])
            .ok();
    }
    let all = host.command(&["query", "latest", "--order", "name", "--format", "json"]);
    let expected = json!([{ "name": "a", "at": 5 }, { "name": "b", "at": 5 }]);
    assert_rows("latest", &all.ok().json(), &expected);
    // Of both streams 3, 5 and 1 were not newer.
    let ignored = |host: &TestHost| host.projector_status("latest")["ignored"].clone();
    host.until("the count is told", || ignored(&host) == 6);
    let since = host.projector_status("latest")["ignored_since"].clone();
    assert_ne!(since, Value::Null);
    let text = host.command(&["status"]).ok().out;
    assert!(
        text.contains("latest has ignored 6 commands since"),
        "{text}"
    );
    host.stop();
}

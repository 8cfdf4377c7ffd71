//! A component cannot read or write across tenants or streams, whatever it tries.
//!
//! `isolation` has many guests beside each other; here those that reach for other
//! tenants meet each store.

use std::fs;

use serde_json::json;

use crate::harness::components::guest;
use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    a_hostile_guest_reaches_its_own_tenants_rows_only,
    what_names_a_tenant_is_stopped_and_has_written_nothing,
];

fn a_hostile_guest_reaches_its_own_tenants_rows_only(store: Store) {
    // Of one page, and of pages that begin in the middle of a tenant's events.
    for batch in [100, 3] {
        let host = TestHost::on_with(store, &format!("batch.events = {batch}"));
        install(&host, "steals_from_tenants");
        host.append(&probes(40));
        host.run_until_caught_up();
        let sql = "SELECT tenant, position, note, amount FROM steals_from_tenants \
                   ORDER BY tenant, position";
        let rows = host.reader().rows(sql).unwrap();
        let expected = json!([
            ["a", 0, "a", 0],
            ["a", 197, "a", 0],
            ["b", 0, "b", 0],
            ["b", 198, "b", 0],
        ]);
        assert_eq!(json!(rows), expected, "pages of {batch} events");
        // What it does is the same each time, and a rebuild of one tenant too.
        let again = ["rebuild", "steals_from_tenants", "--tenant", "a", "--wait"];
        host.command(&again).ok();
        let rows = host.reader().rows(sql).unwrap();
        assert_eq!(json!(rows), expected, "after a rebuild of one tenant");
    }
}

fn what_names_a_tenant_is_stopped_and_has_written_nothing(store: Store) {
    let guests = [
        "names_the_tenant_in_a_key",
        "asks_for_the_tenant_in_a_key",
        "sets_the_tenant",
    ];
    let host = TestHost::on(store);
    guests.iter().for_each(|name| install(&host, name));
    // The third event is tenant a's, and poison.
    let events = probes(2).line(&probe(3, "a", "probe.poison"));
    host.append(&events);
    host.command(&["run", "--until-caught-up"]).ended_with(1);
    for name in guests {
        let status = host.projector_status(name);
        assert_eq!(status["failure"]["position"], 3, "{status:#}");
        let sql = format!("SELECT tenant, position, note FROM {name} ORDER BY position");
        let rows = host.reader().rows(&sql).unwrap();
        let expected = json!([["a", 1, "seen"], ["b", 2, "seen"]]);
        assert_eq!(json!(rows), expected, "{name}");
    }
}

/// Events of the tenants `a` and `b` in turn.
fn probes(count: u64) -> Events {
    (1..=count).fold(Events::new(), |events, n| {
        let tenant = if n % 2 == 1 { "a" } else { "b" };
        events.line(&probe(n, tenant, "probe.seen"))
    })
}

fn probe(n: u64, tenant: &str, event_type: &str) -> String {
    json!({
        "specversion": "1.0", "id": format!("probe-{n}"), "source": "/tests",
        "type": event_type, "subject": "probe", "tenant": tenant,
        "time": "2026-01-01T00:00:00Z", "data": {},
    })
    .to_string()
}

fn install(host: &TestHost, name: &str) {
    let bytes = fs::read(guest(name)).expect("a guest can be read");
    host.install_bytes(&bytes, &format!("{name}.wasm"));
}

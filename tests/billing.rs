//! The example `billing` over thousands of streams: a first replay, and then the
//! newer events alone, tenant by tenant.

use serde_json::{Value, json};

use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![thousands_of_streams_are_billed_and_then_only_what_is_new];

const TENANTS: [&str; 3] = ["t1", "t2", "t3"];
/// Of each tenant in the first replay.
const PROCESSES: usize = 700;
/// Of the first tenant, later.
const LATER: usize = 40;

fn thousands_of_streams_are_billed_and_then_only_what_is_new(store: Store) {
    let host = TestHost::on(store);
    host.install("billing", "billing.wasm");
    // Sees what is fed on the same log: each event, and how often.
    host.install("witness", "witness.wasm");
    let first = TENANTS.iter().fold(Events::new(), |events, tenant| {
        processes(events, tenant, 0..PROCESSES)
    });
    host.append(&first);
    let log = host.run_until_caught_up().err;
    assert!(started_at(&log).ends_with(" position=0"), "{log}");
    let total = (TENANTS.len() * PROCESSES * 3) as u64;
    assert_eq!(checkpoint(&host), total);
    for tenant in TENANTS {
        assert_eq!(bill(&host, tenant), expected(tenant, PROCESSES));
    }

    // Newer events of one tenant, in new streams.
    let newer = processes(Events::new(), "t1", PROCESSES..PROCESSES + LATER);
    host.append(&newer);
    assert_eq!(host.projector_status("billing")["lag"], LATER * 3);
    let log = host.run_until_caught_up().err;
    let from = format!(" position={total}");
    assert!(started_at(&log).ends_with(&from), "{log}");
    assert_eq!(checkpoint(&host), total + LATER as u64 * 3);
    assert_eq!(bill(&host, "t1"), expected("t1", PROCESSES + LATER));
    // Others' bills are as they were, and nobody was fed an event again.
    for tenant in ["t2", "t3"] {
        assert_eq!(bill(&host, tenant), expected(tenant, PROCESSES));
    }
    let fed = "SELECT count(*) FROM witnessed WHERE times = 1";
    assert_eq!(host.number(fed), Some((total as usize + LATER * 3) as i64));
    let fed_again = "SELECT count(*) FROM witnessed WHERE times <> 1";
    assert_eq!(host.number(fed_again), Some(0));

    // The streams behind a bill.
    let streams = [
        "streams",
        "--prefix",
        "process/t1/",
        "--limit",
        "10000",
        "--json",
    ];
    let streams = host.command(&streams).ok().json();
    let streams = streams.as_array().expect("streams are a list");
    assert_eq!(streams.len(), PROCESSES + LATER);
    let is_of_t1 = |stream: &Value| {
        stream["stream"]
            .as_str()
            .is_some_and(|name| name.starts_with("process/t1/"))
            && stream["tenant"] == "t1"
            && stream["version"] == 3
    };
    assert!(streams.iter().all(is_of_t1));
}

/// Where billing's worker began in this run.
fn started_at(log: &str) -> &str {
    let mut lines = log.lines();
    let line = lines.find(|line| line.contains("projector started projector=billing"));
    line.expect("the log tells from where it goes on")
}

fn checkpoint(host: &TestHost) -> u64 {
    let status = host.projector_status("billing");
    status["checkpoint"][""].as_u64().unwrap_or_default()
}

/// What `lantern query` shows one tenant.
fn bill(host: &TestHost, tenant: &str) -> Value {
    let of = format!("tenant={tenant}");
    let query = [
        "query",
        "billing_totals",
        "--where",
        &of,
        "--format",
        "json",
    ];
    host.command(&query).ok().json()
}

/// Processes at 36 an hour, each of whole hours: as many as its number, from 1 to 5.
fn expected(tenant: &str, processes: usize) -> Value {
    let hours: usize = (0..processes).map(hours).sum();
    json!([{
        "tenant": tenant, "period": "2026-03", "currency": "EUR",
        "started": processes, "completed": processes, "failed": 0,
        "billable_seconds": hours * 3600, "amount_cents": hours * 36,
        "refunded_cents": 0, "due_cents": hours * 36,
    }])
}

fn hours(number: usize) -> usize {
    number % 5 + 1
}

/// Start, step and end of each of a tenant's processes.
fn processes(events: Events, tenant: &str, numbers: std::ops::Range<usize>) -> Events {
    let mut events = events;
    for n in numbers {
        let parts = [
            (
                "started",
                json!({ "type": "import", "rate_cents_per_hour": 36, "currency": "EUR" }),
            ),
            (
                "step_completed",
                json!({ "step": 1, "duration_ms": hours(n) * 3_600_000 }),
            ),
            ("completed", json!({})),
        ];
        for (kind, data) in parts {
            let event = json!({
                "specversion": "1.0",
                "id": format!("{tenant}-{n}-{kind}"),
                "source": "/processes",
                "type": format!("process.{kind}"),
                "subject": format!("process/{tenant}/{n}"),
                "tenant": tenant,
                "time": "2026-03-10T08:00:00Z",
                "data": data,
            });
            events = events.line(&event.to_string());
        }
    }
    events
}

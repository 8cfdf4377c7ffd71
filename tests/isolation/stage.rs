//! A host with a healthy neighbour, and events for it and for those who
//! misbehave.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cases::Case;
use super::oddities;
use super::verdict::has_ended;
use crate::harness::{Events, TestHost};

/// Limits that are met soon. A batch of the neighbour takes a few milliseconds,
/// so half a second is plenty even beside many that loop.
const LIMITS: &str = "limits.memory_mib = 32\nlimits.batch_ms = 500\nlimits.load_ms = 1000\n\
                      limits.commands = 50000\nlimits.sent_mib = 16\n";

/// How long the guests may take to end, all together.
const PATIENCE: Duration = Duration::from_secs(60);

/// The orders of the first log, and of each round after it.
const ORDERS: u64 = 5_000;

/// Events of one order.
const EVENTS_OF_ORDER: u64 = 4;

/// Where the first event for those who misbehave is.
pub(super) const FIRST: u64 = 11;

/// Where the poison is.
pub(super) const POISON: u64 = 13;

pub(super) struct Stage {
    pub(super) host: TestHost,
    orders: u64,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            host: TestHost::with_settings(LIMITS),
            orders: 0,
        }
    }

    /// Starts the host with the neighbour alone, and waits until it has read a
    /// log with a poison in it, which it does not want.
    pub(super) fn begin_with_the_neighbour(&mut self) {
        let mut log = Events::new();
        for n in 1..=10 {
            log = log.line(&event(
                &format!("noise-{n}"),
                "noise",
                "",
                "noise.made",
                json!({}),
            ));
        }
        for (n, tenant) in [(FIRST, "a"), (12, "b"), (POISON, "a"), (14, "b"), (15, "a")] {
            let event_type = if n == POISON {
                "probe.poison"
            } else {
                "probe.seen"
            };
            log = log.line(&event(
                &format!("probe-{n}"),
                "probe-1",
                tenant,
                event_type,
                json!({}),
            ));
        }
        self.host.append(&log);
        self.host.install("order_totals", "order_totals.wasm");
        self.host.start();
        self.speed_of_the_neighbour();
    }

    pub(super) fn install(&self, guest: &str) {
        self.host
            .install_bytes(&oddities::bytes(guest), &format!("{guest}.wasm"));
    }

    /// Appends orders and waits until the neighbour shows them. Returns its
    /// events per second, from the beginning of the append on.
    pub(super) fn speed_of_the_neighbour(&mut self) -> f64 {
        let first = self.orders + 1;
        self.orders += ORDERS;
        let log = (first..=self.orders).fold(Events::new(), order);
        let begun = Instant::now();
        self.host.append(&log);
        let completed = "SELECT count(*) FROM order_totals WHERE status = 'completed'";
        self.host.until_number(completed, self.orders as i64);
        (ORDERS * EVENTS_OF_ORDER) as f64 / begun.elapsed().as_secs_f64()
    }

    /// Appends one more event for those who misbehave.
    pub(super) fn append_late(&self) {
        let late = event("probe-late", "probe-1", "a", "probe.late", json!({}));
        self.host.append(&Events::new().line(&late));
    }

    /// Asserts that the neighbour shows what was appended, and is well.
    pub(super) fn assert_the_neighbour_is_right(&self) {
        let n = self.orders;
        let expected: String = (1..=n)
            .map(|n| format!("o{n}\tc{}\tcompleted\t5\t{}\t4\n", n % 97, 2 * n + 300))
            .collect();
        let found = self.answer(
            "SELECT order_id, customer_id, status, item_count, total_cents, entity_version FROM order_totals \
             ORDER BY CAST(substr(order_id, 2) AS INTEGER)",
        );
        assert!(
            found == expected,
            "the neighbour's rows are not what was appended"
        );
        let status = self.host.projector_status("order_totals");
        assert_eq!(status["failure"], Value::Null);
        assert_eq!(status["trouble"], Value::Null);
    }

    /// Waits until each guest has ended in some way, though not for ever, and
    /// returns how all stands.
    pub(super) fn settled(&self, cases: &[Case]) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.host.status();
            if begun.elapsed() > PATIENCE || cases.iter().all(|case| has_ended(case, &status)) {
                return status;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A query's answer as text: columns between tabs, a line each.
    pub(super) fn answer(&self, sql: &str) -> String {
        let rows = self
            .host
            .reader()
            .rows(sql)
            .unwrap_or_else(|error| panic!("`{sql}`: {error}"));
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let line = |row: &Vec<Value>| row.iter().map(text).collect::<Vec<_>>().join("\t") + "\n";
        rows.iter().map(line).collect()
    }

    /// The positions that a guest has noted; `None` without a table.
    pub(super) fn noted(&self, name: &str) -> Option<String> {
        let sql = format!(
            "SELECT coalesce(group_concat(position), '') FROM (SELECT position FROM \"{name}\" ORDER BY 1)"
        );
        let noted = self.host.reader().value(&sql).ok()?;
        noted.as_str().map(str::to_owned)
    }

    /// The most memory that the host has had, in bytes.
    pub(super) fn peak_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.host.pid()))
            .expect("the host is alive");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("Linux tells it");
        line.trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .expect("it is a number")
            << 10
    }
}

fn order(log: Events, n: u64) -> Events {
    let (stream, id) = (format!("order-{n}"), format!("o{n}"));
    let all = [
        (
            "order.created",
            json!({ "order_id": id, "customer_id": format!("c{}", n % 97), "currency": "EUR" }),
        ),
        (
            "order.item_added",
            json!({ "order_id": id, "quantity": 2, "unit_price_cents": n }),
        ),
        (
            "order.item_added",
            json!({ "order_id": id, "quantity": 3, "unit_price_cents": 100 }),
        ),
        (
            "order.completed",
            json!({ "order_id": id, "completed_at": "2026-05-02T08:00:00Z" }),
        ),
    ];
    all.into_iter()
        .enumerate()
        .fold(log, |log, (i, (event_type, data))| {
            log.line(&event(&format!("{id}-{i}"), &stream, "", event_type, data))
        })
}

fn event(id: &str, stream: &str, tenant: &str, event_type: &str, data: Value) -> String {
    let mut event = json!({
        "specversion": "1.0",
        "id": id,
        "source": "/tests/isolation",
        "type": event_type,
        "subject": stream,
        "time": "2026-05-01T08:00:00Z",
        "data": data,
    });
    if !tenant.is_empty() {
        event["tenant"] = tenant.into();
    }
    event.to_string()
}

//! Declared lookups: one and the same projector with its declarations and without
//! ends in the same rows, and with them asks the database far less often.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Chance, Events, Store, TestHost, assert_rows, on_each_store};
use crate::promises::is_torture;

on_each_store![with_declarations_and_without_the_rows_are_the_same];

const DECLARED: &str = "enriched";
const UNDECLARED: &str = "enriched_undeclared";

/// Small pages and little memory, so that rows are forgotten and looked up again.
const FORGETFUL: &str = "batch.events = 7\ncache.mib = 1\n";

fn with_declarations_and_without_the_rows_are_the_same(store: Store) {
    let mut chance = Chance::new();
    let mut numbers = Numbers(0);
    let mut parts = vec![names(&mut numbers)];
    parts.extend((0..4).map(|_| sales(&mut chance, &mut numbers, 120)));
    let rows = [DECLARED, UNDECLARED].map(|component| {
        let host = TestHost::on_with(store, FORGETFUL);
        host.install(component, "enriched.wasm");
        for part in &parts {
            // Each time a process that knows nothing of the rows there are.
            host.append(part);
            host.run_until_caught_up();
        }
        ["enriched", "customers", "products", "tills"].map(|table| {
            let rows = host.command(&["query", table, "--format", "json"]);
            (table, rows.ok().json())
        })
    });
    let [declared, undeclared] = rows;
    for ((table, found), (_, expected)) in declared.iter().zip(&undeclared) {
        let what = format!("{table} (LANTERN_SEED={})", chance.seed());
        assert_rows(&what, found, expected);
    }
    let orders = declared[0].1.as_array().expect("rows are an array");
    let named = |column: &str| {
        orders
            .iter()
            .filter(|order| is_named(&order[column]))
            .count()
    };
    assert!(named("customer") > 5 && named("products") > 5, "{orders:?}");
}

fn is_named(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// Prints the times as well: the numbers of docs/performance.md.
#[test]
fn fewer_queries_bring_what_is_declared() {
    if !Store::Postgres.is_here() {
        return;
    }
    let orders: u64 = if is_torture() { 40_000 } else { 2_000 };
    let cost = |component: &str| {
        let host = TestHost::on(Store::Postgres);
        host.install(component, "enriched.wasm");
        host.append(&known(orders));
        host.run_until_caught_up();
        host.append(&ordered(orders));
        let (before, begun) = (transactions(&host), Instant::now());
        host.run_until_caught_up();
        let (after, took) = (transactions(&host), begun.elapsed());
        assert_eq!(
            host.number("SELECT count(*) FROM enriched WHERE customer IS NOT NULL"),
            Some(orders as i64)
        );
        eprintln!(
            "{component}: {orders} orders, {} transactions, {took:.2?}",
            after - before
        );
        (after - before, took.as_secs_f64())
    };
    let (declared, undeclared) = (cost(DECLARED), cost(UNDECLARED));
    eprintln!(
        "with declarations {:.1} times as fast",
        undeclared.1 / declared.1
    );
    // Undeclared, each order asks for its customer at least.
    let saved = undeclared.0 - declared.0;
    assert!(
        saved > orders as i64 / 2,
        "{declared:?} with declarations, {undeclared:?} without"
    );
}

/// The transactions that the database has committed, of everybody who has gone.
fn transactions(host: &TestHost) -> i64 {
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    let counted = host.database().query(sql);
    let count = counted[0][0].as_deref().map(str::parse);
    count.and_then(Result::ok).expect("the server counts")
}

/// A customer for each order, and products.
fn known(orders: u64) -> Events {
    let mut numbers = Numbers(0);
    let customers = (0..orders).map(|n| {
        let data = json!({ "customer_id": format!("c{n}"), "name": format!("Customer {n}") });
        ("customer.named", format!("customer/{n}"), data)
    });
    let products = (0..orders / 10).map(|n| {
        let data = json!({ "product_id": format!("p{n}"), "name": format!("Product {n}") });
        ("product.named", format!("product/{n}"), data)
    });
    let events = customers.chain(products);
    events.fold(Events::new(), |events, (event_type, stream, data)| {
        numbers.add(events, "eu", event_type, &stream, &data)
    })
}

fn ordered(orders: u64) -> Events {
    let mut numbers = Numbers(orders * 2);
    (0..orders).fold(Events::new(), |events, n| {
        let lines: Vec<Value> = (0..3)
            .map(|line| json!({ "product_id": format!("p{}", (n * 7 + line) % (orders / 10)) }))
            .collect();
        let customer = (n * 7_919) % orders;
        let data = json!({
            "order_id": format!("o{n}"), "customer_id": format!("c{customer}"), "lines": lines,
        });
        numbers.add(
            events,
            "eu",
            "order.placed",
            &format!("till/{}", n % 500),
            &data,
        )
    })
}

/// Half of the names there can be.
fn names(numbers: &mut Numbers) -> Events {
    let named = (0..7).flat_map(|n| {
        let customer = json!({ "customer_id": format!("c{n}"), "name": format!("first {n}") });
        let product = json!({ "product_id": format!("p{n}"), "name": format!("first {n}") });
        [("customer.named", customer), ("product.named", product)]
    });
    named.fold(Events::new(), |events, (event_type, data)| {
        let events = numbers.add(events, "eu", event_type, "names", &data);
        numbers.add(events, "us", event_type, "names", &data)
    })
}

/// Anything, of two tenants with the same ids: names given, changed and taken
/// away between orders, members that are missing, null or of another type.
fn sales(chance: &mut Chance, numbers: &mut Numbers, count: usize) -> Events {
    let mut events = Events::new();
    for _ in 0..count {
        let tenant = ["eu", "us"][chance.number(0..2) as usize];
        let n = chance.number(0..12);
        let stream = format!("till/{}", chance.number(0..3));
        let (event_type, data) = match chance.number(0..10) {
            0 | 1 => {
                let name = format!("name {}", chance.number(0..1000));
                (
                    "customer.named",
                    json!({ "customer_id": format!("c{n}"), "name": name }),
                )
            }
            2 => ("customer.left", json!({ "customer_id": format!("c{n}") })),
            3 | 4 => {
                let name = format!("name {}", chance.number(0..1000));
                (
                    "product.named",
                    json!({ "product_id": format!("p{n}"), "name": name }),
                )
            }
            kind => {
                let lines: Vec<Value> = (0..chance.number(0..4))
                    .map(|_| json!({ "product_id": format!("p{}", chance.number(0..14)) }))
                    .collect();
                let order_id = format!("o{}", chance.number(0..60));
                let mut data = json!({ "order_id": order_id, "lines": lines });
                if kind > 5 {
                    data["customer_id"] = json!(format!("c{n}"));
                } else if kind > 4 {
                    data["customer_id"] = Value::Null;
                }
                ("order.placed", data)
            }
        };
        events = numbers.add(events, tenant, event_type, &stream, &data);
    }
    events
}

/// Counts the events' ids.
struct Numbers(u64);

impl Numbers {
    fn add(
        &mut self,
        events: Events,
        tenant: &str,
        event_type: &str,
        stream: &str,
        data: &Value,
    ) -> Events {
        self.0 += 1;
        let event = json!({
            "specversion": "1.0",
            "id": format!("sale-{}", self.0),
            "source": "/tests",
            "type": event_type,
            "subject": stream,
            "tenant": tenant,
            "time": "2026-01-01T00:00:00Z",
            "data": data,
        });
        events.line(&event.to_string())
    }
}

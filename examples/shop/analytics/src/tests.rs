//! Given these events, then these rows.

use lantern_sdk::testing::{GivenEvent, event, events_from_json_lines, given, json};

use super::*;

#[test]
fn orders_add_up_by_day_and_currency() {
    let one = json!([{ "quantity": 1, "unit_price_cents": 1000 }]);
    given([
        order("o1", 1, "placed", 2),
        order("o2", 1, "placed", 3),
        event("order.placed").data(state("o3", 1, "placed", "USD", &one)),
        order("o2", 2, "cancelled", 3),
    ])
    .when(order_analytics)
    .then([day("EUR", 2, 1, 2000), day("USD", 1, 0, 1000)]);
}

#[test]
fn an_order_counts_as_it_is_now() {
    given([
        order("o1", 1, "placed", 2),
        order("o1", 2, "placed", 5),
        order("o1", 3, "paid", 5),
    ])
    .when(order_analytics)
    .then([day("EUR", 1, 0, 5000)])
    .then([Contribution {
        order_id: "o1".into(),
        day: "2026-05-04".into(),
        currency: "EUR".into(),
        cancelled: false,
        revenue_cents: 5000,
        event_version: 3,
    }]);
}

#[test]
fn a_state_that_comes_twice_or_late_does_not_count() {
    let states = [
        order("o1", 1, "placed", 2),
        order("o1", 2, "placed", 5),
        order("o1", 3, "cancelled", 5),
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let shuffled = order.iter().chain(&order).map(|&at| states[at].clone());
        given(shuffled)
            .when(order_analytics)
            .then([day("EUR", 1, 1, 0)]);
    }
}

#[test]
fn a_day_that_loses_its_last_order_is_gone() {
    let lines = json!([{ "quantity": 2, "unit_price_cents": 1000 }]);
    let wrong_currency = state("o1", 1, "placed", "USD", &lines);
    let mut wrong_day = state("o1", 2, "placed", "EUR", &lines);
    wrong_day["placed_at"] = json!("2025-05-04T08:00:00Z");
    let right = state("o1", 3, "placed", "EUR", &lines);
    let states = [wrong_currency, wrong_day, right].map(|state| event("order.updated").data(state));
    given(states.clone())
        .when(order_analytics)
        .then([day("EUR", 1, 0, 2000)]);

    // Others of that day stay.
    let other = event("order.placed").data(state("o2", 1, "cancelled", "USD", &lines));
    given([other].into_iter().chain(states))
        .when(order_analytics)
        .then([day("EUR", 1, 0, 2000), day("USD", 1, 1, 0)]);
}

#[test]
fn the_day_is_that_of_utc() {
    let mut late = state("o1", 1, "placed", "EUR", &json!([]));
    late["placed_at"] = json!("2026-05-05T01:30:00+02:00");
    given([event("order.placed").data(late)])
        .when(order_analytics)
        .then([day("EUR", 1, 0, 0)]);
}

#[test]
fn a_revenue_that_no_column_holds_is_a_failure() {
    let line = json!({ "quantity": u32::MAX, "unit_price_cents": u32::MAX });
    let too_many = state("o1", 1, "placed", "EUR", &json!([line, line]));
    given([event("order.placed").data(too_many)])
        .when(order_analytics)
        .then_failure(0, "cents are more than a column holds");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../../events.jsonl"));
    let projected = given(events).when(order_analytics);
    let expected = [
        (
            "order_analytics",
            include_str!("../../expected/order_analytics.json"),
        ),
        (
            "order_contributions",
            include_str!("../../expected/order_contributions.json"),
        ),
    ];
    for (table, text) in expected {
        let rows: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(projected.json(table), rows, "{table}");
    }
}

/// A state of an order of so many lamps at 10.00.
fn order(order_id: &str, version: u64, status: &str, quantity: u32) -> GivenEvent {
    let line = json!({
        "line_no": 1, "product_id": "lamp", "quantity": quantity, "unit_price_cents": 1000,
    });
    let lines = json!([line]);
    event("order.updated").data(state(order_id, version, status, "EUR", &lines))
}

fn state(
    order_id: &str,
    version: u64,
    status: &str,
    currency: &str,
    lines: &serde_json::Value,
) -> serde_json::Value {
    json!({
        "order_id": order_id,
        "event_version": version,
        "customer_id": "c1",
        "status": status,
        "currency": currency,
        "placed_at": "2026-05-04T08:00:00Z",
        "lines": lines,
    })
}

fn day(currency: &str, orders: i64, cancelled: i64, revenue_cents: i64) -> DayOfOrders {
    DayOfOrders {
        day: "2026-05-04".into(),
        currency: currency.into(),
        orders,
        cancelled,
        revenue_cents,
    }
}

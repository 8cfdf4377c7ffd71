//! Given these events, then these rows.

use lantern_sdk::testing::{GivenEvent, event, events_from_json_lines, given, json};

use super::*;

#[test]
fn an_order_runs_its_course() {
    given([
        created("o1"),
        item("o1", "book", 2, 1250),
        item("o1", "pen", 1, 300),
        event("order.item_removed").data(json!({ "order_id": "o1", "product_id": "pen" })),
        event("order.payment_failed").data(json!({ "order_id": "o1", "reason": "limit" })),
        event("order.payment_succeeded").data(json!({ "order_id": "o1", "amount_cents": 2500 })),
        event("order.status_changed").data(json!({ "order_id": "o1", "status": "shipped" })),
        event("order.completed")
            .time("2026-05-04T10:00:00Z")
            .data(json!({ "order_id": "o1", "completed_at": "2026-05-04T09:59:00Z" })),
    ])
    .when(orders)
    .then([OrderSummary {
        status: "completed".into(),
        payment_status: "paid".into(),
        item_count: 2,
        total_cents: 2500,
        items: Json(vec![Item {
            product_id: "book".into(),
            quantity: 2,
            unit_price_cents: 1250,
        }]),
        completed_at: Some("2026-05-04T09:59:00Z".parse().unwrap()),
        updated_at: "2026-05-04T10:00:00Z".parse().unwrap(),
        entity_version: 8,
        ..fresh("o1")
    }]);
}

#[test]
fn an_order_can_be_cancelled() {
    let cancelled = event("order.cancelled").time("2026-05-02T00:00:00Z");
    given([
        created("o1"),
        cancelled.data(json!({ "order_id": "o1", "reason": "regret" })),
    ])
    .when(orders)
    .then([OrderSummary {
        status: "cancelled".into(),
        updated_at: "2026-05-02T00:00:00Z".parse().unwrap(),
        entity_version: 2,
        ..fresh("o1")
    }]);
}

#[test]
fn an_order_that_was_never_created_is_a_failure() {
    given([created("o1"), item("o2", "book", 1, 1)])
        .when(orders)
        .then_failure(1, "order `o2` was never created");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("../expected/order_summaries.json")).unwrap();
    assert_eq!(given(events).when(orders).json("order_summaries"), expected);
}

fn created(order_id: &str) -> GivenEvent {
    event("order.created")
        .time("2026-05-01T00:00:00Z")
        .data(json!({
            "order_id": order_id,
            "customer_id": "c1",
            "currency": "EUR",
            "shipping_address": { "city": "Ghent" },
        }))
}

fn item(order_id: &str, product_id: &str, quantity: i64, unit_price_cents: i64) -> GivenEvent {
    event("order.item_added").data(json!({
        "order_id": order_id,
        "product_id": product_id,
        "quantity": quantity,
        "unit_price_cents": unit_price_cents,
    }))
}

fn fresh(order_id: &str) -> OrderSummary {
    let at = "2026-05-01T00:00:00Z".parse().unwrap();
    OrderSummary {
        order_id: order_id.into(),
        customer_id: "c1".into(),
        status: "open".into(),
        payment_status: "pending".into(),
        item_count: 0,
        total_cents: 0,
        currency: "EUR".into(),
        items: Json(Vec::new()),
        shipping_address: Some(Json(json!({ "city": "Ghent" }))),
        created_at: at,
        completed_at: None,
        updated_at: at,
        entity_version: 1,
    }
}

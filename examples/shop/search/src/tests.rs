//! Given these events, then these rows. What is found by which words is for the
//! store to say: see `tests/text_search.rs` of the repository.

use lantern_sdk::testing::{GivenEvent, event, events_from_json_lines, given, json};

use super::*;

#[test]
fn an_order_is_found_by_the_names_of_when_its_state_came() {
    let lamp = json!([{ "product_id": "lamp", "quantity": 1 }]);
    given([
        customer(1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        order(1, &lamp),
        customer(2, "Ada Lindqvist"),
    ])
    .when(order_search)
    .then([found("Ada", "Desk lamp")]);
    given([
        customer(1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        order(1, &lamp),
        customer(2, "Ada Lindqvist"),
        order(2, &lamp),
        // Late, and so without effect.
        order(1, &json!([])),
    ])
    .when(order_search)
    .then([found("Ada Lindqvist", "Desk lamp")]);
}

#[test]
fn removed_lines_and_unknown_products_have_no_words() {
    let lines = json!([
        { "product_id": "lamp", "quantity": 0 },
        { "product_id": "bulb", "quantity": 2 },
        { "product_id": "unknown", "quantity": 1 },
    ]);
    given([
        customer(1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        product("bulb", 1, "Bulb"),
        order(1, &lines),
    ])
    .when(order_search)
    .then([found("Ada", "Bulb")]);
}

#[test]
fn an_order_of_somebody_unknown_or_erased_has_no_name() {
    let none = FoundOrder {
        customer_name: None,
        ..found("", "")
    };
    let erased = json!({ "customer_id": "c1", "event_version": 2 });
    given([order(1, &json!([]))])
        .when(order_search)
        .then([none.clone()]);
    given([
        customer(1, "Ada"),
        event("customer.erased").data(erased),
        order(1, &json!([])),
    ])
    .when(order_search)
    .then([none])
    .then::<Customer>([]);
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../../events.jsonl"));
    let projected = given(events).when(order_search);
    let expected = [
        (
            "order_search",
            include_str!("../../expected/order_search.json"),
        ),
        (
            "search_customers",
            include_str!("../../expected/search_customers.json"),
        ),
        (
            "search_products",
            include_str!("../../expected/search_products.json"),
        ),
    ];
    for (table, text) in expected {
        let rows: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(projected.json(table), rows, "{table}");
    }
}

fn customer(version: u64, name: &str) -> GivenEvent {
    event("customer.changed").data(json!({
        "customer_id": "c1", "event_version": version, "name": name, "email": "c1@example.org",
    }))
}

fn product(product_id: &str, version: u64, name: &str) -> GivenEvent {
    event("product.changed").data(json!({
        "product_id": product_id, "event_version": version, "name": name,
    }))
}

fn order(version: u64, lines: &serde_json::Value) -> GivenEvent {
    event("order.updated").data(json!({
        "order_id": "o1", "event_version": version, "customer_id": "c1", "status": "placed",
        "placed_at": "2026-05-04T08:00:00Z", "note": "ring twice", "lines": lines,
    }))
}

fn found(customer: &str, products: &str) -> FoundOrder {
    FoundOrder {
        order_id: "o1".into(),
        customer_name: Some(customer.into()),
        product_names: products.into(),
        note: Some("ring twice".into()),
        status: "placed".into(),
        placed_at: "2026-05-04T08:00:00Z".parse().unwrap(),
    }
}

//! Given these events, then these rows.

use lantern_sdk::testing::{Projected, event, events_from_json_lines, given, json};

use super::*;
use things::{customer, erased, item, orders_of, placed, product, summary, updated};

mod things;

#[test]
fn an_order_has_the_names_of_its_customer_and_its_products() {
    given([
        customer("c1", 1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        product("bulb", 1, "Bulb"),
        placed(&[(1, "lamp", 1), (2, "bulb", 3)]),
        updated(2, "paid", &[(1, "lamp", 1), (2, "bulb", 3)]),
    ])
    .when(shop)
    .then([OrderSummary {
        status: "paid".into(),
        line_count: 2,
        item_count: 4,
        total_cents: 4000,
        event_version: 2,
        ..summary()
    }])
    .then([item(1, "lamp", "Desk lamp", 1), item(2, "bulb", "Bulb", 3)]);
}

#[test]
fn an_order_keeps_the_names_it_was_first_seen_with() {
    let lamp = [(1, "lamp", 1)];
    given([
        customer("c1", 1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        placed(&lamp),
        customer("c1", 2, "Ada Lindqvist"),
        product("lamp", 2, "Desk lamp (2026)"),
        // The first come again.
        customer("c1", 1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        updated(2, "paid", &lamp),
    ])
    .when(shop)
    .then([OrderSummary {
        status: "paid".into(),
        event_version: 2,
        ..summary()
    }])
    .then([item(1, "lamp", "Desk lamp", 1)])
    // What is sold from now on has the new names.
    .then([Customer {
        customer_id: "c1".into(),
        name: "Ada Lindqvist".into(),
        email: None,
    }])
    .then([Product {
        product_id: "lamp".into(),
        name: "Desk lamp (2026)".into(),
        category: Some("light".into()),
    }]);
}

#[test]
fn a_name_that_was_not_known_is_there_with_the_next_event_of_the_order() {
    let lamp = [(1, "lamp", 1)];
    let early = given([placed(&lamp)]).when(shop);
    let order = early.row(OrderSummary::key("o1")).unwrap();
    assert_eq!(order.customer_name, None);
    let line = early.row(OrderItem::key("o1", 1)).unwrap();
    assert_eq!((line.product_name, line.product_category), (None, None));

    given([
        placed(&lamp),
        customer("c1", 1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        updated(2, "paid", &lamp),
    ])
    .when(shop)
    .then([OrderSummary {
        status: "paid".into(),
        event_version: 2,
        ..summary()
    }])
    .then([item(1, "lamp", "Desk lamp", 1)]);
}

#[test]
fn a_line_that_is_for_another_product_or_customer_now_is_looked_up_anew() {
    let other = event("order.updated").data(json!({
        "order_id": "o1", "event_version": 2, "customer_id": "c2", "status": "placed",
        "currency": "EUR", "placed_at": "2026-05-04T08:00:00Z",
        "updated_at": "2026-05-04T08:00:00Z",
        "lines": [{ "line_no": 1, "product_id": "bulb", "quantity": 1, "unit_price_cents": 1000 }],
    }));
    given([
        customer("c1", 1, "Ada"),
        customer("c2", 1, "Bruno"),
        product("lamp", 1, "Desk lamp"),
        product("bulb", 1, "Bulb"),
        placed(&[(1, "lamp", 1)]),
        other,
    ])
    .when(shop)
    .then([OrderSummary {
        customer_id: "c2".into(),
        customer_name: Some("Bruno".into()),
        event_version: 2,
        ..summary()
    }])
    .then([item(1, "bulb", "Bulb", 1)]);
}

#[test]
fn a_removed_line_is_gone_and_an_older_event_does_not_bring_it_back() {
    let both = [(1, "lamp", 1), (2, "bulb", 3)];
    let without = [(1, "lamp", 1), (2, "bulb", 0)];
    let paid = OrderSummary {
        status: "paid".into(),
        event_version: 3,
        ..summary()
    };
    let names = [customer("c1", 1, "Ada"), product("lamp", 1, "Desk lamp")];
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let events = order.map(|version| match version {
            1 => placed(&both),
            2 => updated(2, "placed", &without),
            _ => updated(3, "paid", &without),
        });
        given(names.clone().into_iter().chain(events))
            .when(shop)
            .then([paid.clone()])
            .then([item(1, "lamp", "Desk lamp", 1)]);
    }
}

/// The rule by which a guard is enough: whole rows, each with its version.
#[test]
fn any_order_and_any_repetition_end_in_the_same_rows() {
    let known = [product("lamp", 1, "Desk lamp"), product("bulb", 1, "Bulb")];
    let events = [
        placed(&[(1, "lamp", 1), (2, "bulb", 3)]),
        updated(2, "placed", &[(1, "lamp", 0), (2, "bulb", 3)]),
        updated(
            3,
            "placed",
            &[(1, "lamp", 2), (2, "bulb", 0), (3, "bulb", 9)],
        ),
        updated(4, "paid", &[(1, "lamp", 2), (2, "bulb", 0), (3, "bulb", 9)]),
        // Of another customer than the order's, whose name would depend on when
        // it was looked up.
        customer("c2", 1, "Bruno"),
        erased("c2", 2),
    ];
    let rows_of = |projected: &Projected| {
        let orders = projected.rows::<OrderSummary>();
        let items = projected.rows::<OrderItem>();
        (orders, items, projected.rows::<Customer>())
    };
    let in_order = rows_of(&given(known.iter().chain(&events).cloned()).when(shop));
    assert_eq!((in_order.1.len(), in_order.2.len()), (2, 0));
    let mut tried = 0;
    for order in orders_of(events.len()) {
        let shuffled = order
            .iter()
            .chain(order.iter().rev())
            .map(|&at| events[at].clone());
        let projected = given(known.iter().cloned().chain(shuffled)).when(shop);
        assert_eq!(rows_of(&projected), in_order, "order {order:?}");
        tried += 1;
    }
    assert_eq!(tried, 720);
}

#[test]
fn a_customer_who_was_erased_stays_so_and_their_orders_keep_the_name() {
    let lamp = [(1, "lamp", 1)];
    given([
        customer("c1", 1, "Ada"),
        product("lamp", 1, "Desk lamp"),
        placed(&lamp),
        erased("c1", 3),
        customer("c1", 2, "Ada L."),
        updated(2, "placed", &lamp),
    ])
    .when(shop)
    .then::<Customer>([])
    .then([OrderSummary {
        event_version: 2,
        ..summary()
    }]);
}

#[test]
fn shops_do_not_see_each_other() {
    let projected = given([
        customer("c1", 1, "Ada").tenant("tea-room"),
        placed(&[(1, "lamp", 1)]).tenant("lamp-house"),
    ])
    .when(shop);
    let orders = projected.json("order_summary");
    assert_eq!(orders[0]["tenant"], "lamp-house");
    assert_eq!(orders[0]["customer_name"], json!(null));
}

#[test]
fn optional_fields_may_be_missing_unknown_ones_are_left_alone_a_version_is_needed() {
    let extra = json!({
        "product_id": "lamp", "event_version": 1, "name": "Desk lamp", "weight_g": 900,
    });
    given([event("product.listed").data(extra)])
        .when(shop)
        .then([Product {
            product_id: "lamp".into(),
            name: "Desk lamp".into(),
            category: None,
        }]);
    given([event("product.listed").data(json!({ "product_id": "lamp", "name": "Desk lamp" }))])
        .when(shop)
        .then_failure(0, "missing field `event_version`");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(shop);
    let expected = [
        (
            "order_summary",
            include_str!("../expected/order_summary.json"),
        ),
        ("order_items", include_str!("../expected/order_items.json")),
        ("customers", include_str!("../expected/customers.json")),
        ("products", include_str!("../expected/products.json")),
    ];
    for (table, text) in expected {
        let rows: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(projected.json(table), rows, "{table}");
    }
}

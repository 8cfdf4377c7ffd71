//! The events that the tests give, and the rows of an order with one lamp.

use lantern_sdk::testing::{GivenEvent, event, json};

use super::super::*;

const PLACED_AT: &str = "2026-05-04T08:00:00Z";

/// An event whose version in its stream says nothing: the bus numbers what it
/// delivers. Only the version in the data counts.
fn told(event_type: &str) -> GivenEvent {
    event(event_type).version(1)
}

pub(super) fn customer(id: &str, version: u64, name: &str) -> GivenEvent {
    told("customer.changed").data(json!({
        "customer_id": id,
        "event_version": version,
        "name": name,
    }))
}

pub(super) fn erased(id: &str, version: u64) -> GivenEvent {
    told("customer.erased").data(json!({ "customer_id": id, "event_version": version }))
}

pub(super) fn product(id: &str, version: u64, name: &str) -> GivenEvent {
    told("product.changed").data(json!({
        "product_id": id,
        "event_version": version,
        "name": name,
        "category": "light",
    }))
}

/// The first state of order o1, with lines of (number, product, quantity).
pub(super) fn placed(lines: &[(u32, &str, u32)]) -> GivenEvent {
    state("order.placed", 1, "placed", lines)
}

pub(super) fn updated(version: u64, status: &str, lines: &[(u32, &str, u32)]) -> GivenEvent {
    state("order.updated", version, status, lines)
}

fn state(event_type: &str, version: u64, status: &str, lines: &[(u32, &str, u32)]) -> GivenEvent {
    let line = |&(line_no, product_id, quantity): &(u32, &str, u32)| {
        json!({
            "line_no": line_no,
            "product_id": product_id,
            "quantity": quantity,
            "unit_price_cents": 1000,
        })
    };
    told(event_type).data(json!({
        "order_id": "o1",
        "event_version": version,
        "customer_id": "c1",
        "status": status,
        "currency": "EUR",
        "placed_at": PLACED_AT,
        "updated_at": PLACED_AT,
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
    }))
}

pub(super) fn summary() -> OrderSummary {
    OrderSummary {
        order_id: "o1".into(),
        customer_id: "c1".into(),
        customer_name: Some("Ada".into()),
        status: "placed".into(),
        line_count: 1,
        item_count: 1,
        total_cents: 1000,
        currency: "EUR".into(),
        placed_at: PLACED_AT.parse().unwrap(),
        updated_at: PLACED_AT.parse().unwrap(),
        event_version: 1,
    }
}

pub(super) fn item(line_no: u32, product: &str, name: &str, quantity: u32) -> OrderItem {
    OrderItem {
        order_id: "o1".into(),
        line_no,
        product_id: product.into(),
        product_name: Some(name.into()),
        product_category: Some("light".into()),
        quantity,
        unit_price_cents: 1000,
        total_cents: i64::from(quantity) * 1000,
        currency: "EUR".into(),
    }
}

/// Every order of so many things.
pub(super) fn orders_of(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let shorter = orders_of(last).into_iter();
    shorter
        .flat_map(|order| {
            (0..count).map(move |at| {
                let mut order = order.clone();
                order.insert(at, last);
                order
            })
        })
        .collect()
}

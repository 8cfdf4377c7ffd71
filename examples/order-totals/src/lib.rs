//! What each order comes to, without a single read: the projector by which
//! Lantern's speed is measured.
//!
//! Texts are borrowed from the batch and written straight to where the host
//! takes them from; nothing is copied in between.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// One order, and what it comes to.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "order_totals")]
pub struct OrderTotal<'a> {
    /// The order.
    #[key]
    pub order_id: Cow<'a, str>,
    /// Who ordered.
    pub customer_id: Cow<'a, str>,
    /// `open` or `completed`.
    pub status: Cow<'a, str>,
    /// How many pieces were added.
    pub item_count: i64,
    /// What they cost together, in hundredths of the currency.
    pub total_cents: i64,
    /// The currency, as in ISO 4217.
    pub currency: Cow<'a, str>,
    /// When the order was created.
    pub created_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The version in its stream of the last event that counted.
    pub entity_version: u64,
}

/// What happens to an order.
#[derive(Events)]
pub enum OrderEvent<'a> {
    /// It was created.
    #[event("order.created")]
    Created(Created<'a>),
    /// Pieces of one product were added.
    #[event("order.item_added")]
    ItemAdded(ItemAdded<'a>),
    /// It was completed.
    #[event("order.completed")]
    Completed(Completed<'a>),
}

/// The payload of `order.created`; the address is of no interest here.
#[derive(Deserialize)]
pub struct Created<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    customer_id: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
}

/// The payload of `order.item_added`; the product is of no interest here.
#[derive(Deserialize)]
pub struct ItemAdded<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    quantity: i64,
    unit_price_cents: i64,
}

/// The payload of `order.completed`.
#[derive(Deserialize)]
pub struct Completed<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    completed_at: Timestamp,
}

/// Keeps `order_totals`.
#[projector(name = "order_totals", version = "1.0.0", tables(OrderTotal<'_>))]
pub fn order_totals(event: Event<OrderEvent>, rows: &mut Rows) {
    match event.data {
        OrderEvent::Created(created) => {
            rows.upsert(&OrderTotal {
                order_id: created.order_id,
                customer_id: created.customer_id,
                status: "open".into(),
                item_count: 0,
                total_cents: 0,
                currency: created.currency,
                created_at: event.time,
                completed_at: None,
                entity_version: event.version,
            });
        }
        OrderEvent::ItemAdded(item) => {
            // An order's stream holds these three types of event and no other,
            // so that one more is the event's own version. Setting it would be
            // a second command.
            rows.increment(OrderTotal::key(&item.order_id))
                .by(OrderTotal::item_count, item.quantity)
                .by(
                    OrderTotal::total_cents,
                    item.quantity * item.unit_price_cents,
                )
                .by(OrderTotal::entity_version, 1);
        }
        OrderEvent::Completed(completed) => {
            rows.patch(OrderTotal::key(&completed.order_id))
                .set(OrderTotal::status, "completed")
                .set(OrderTotal::completed_at, completed.completed_at)
                .set(OrderTotal::entity_version, event.version);
        }
    }
}

#[cfg(test)]
mod tests {
    use lantern_sdk::testing::{event, given, json};

    use super::*;

    #[test]
    fn an_order_adds_up() {
        let item = |quantity, cents| {
            event("order.item_added").data(json!({
                "order_id": "o1", "product_id": "p", "quantity": quantity, "unit_price_cents": cents,
            }))
        };
        given([
            event("order.created")
                .time("2026-05-01T08:00:00Z")
                .data(json!({
                    "order_id": "o1",
                    "customer_id": "c1",
                    "currency": "EUR",
                    "shipping_address": { "city": "Ghent" },
                })),
            item(2, 250),
            item(1, 999),
            event("order.completed")
                .data(json!({ "order_id": "o1", "completed_at": "2026-05-02T08:00:00Z" })),
        ])
        .when(order_totals)
        .then([OrderTotal {
            order_id: "o1".into(),
            customer_id: "c1".into(),
            status: "completed".into(),
            item_count: 3,
            total_cents: 1499,
            currency: "EUR".into(),
            created_at: "2026-05-01T08:00:00Z".parse().unwrap(),
            completed_at: Some("2026-05-02T08:00:00Z".parse().unwrap()),
            entity_version: 4,
        }]);
    }
}

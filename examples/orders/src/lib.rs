//! A summary of each order, with its lines inside it.
//!
//! Written the way that is easiest to read: take the row, change it, put it
//! back. A read sees what earlier events did, those of the same batch included.
//! Where speed matters more, see `order-totals`, which never reads.

use lantern_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// One order, as a shop's pages show it.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "order_summaries",
    index(customer_id, created_at desc),
    index(status, updated_at desc),
    index(shipping_address -> "$.city"),
)]
pub struct OrderSummary {
    /// The order.
    #[key]
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// `open`, whatever `order.status_changed` says, `completed` or `cancelled`.
    pub status: String,
    /// `pending`, `paid` or `failed`.
    pub payment_status: String,
    /// How many pieces there are in all lines.
    pub item_count: i64,
    /// What they cost together, in hundredths of the currency.
    pub total_cents: i64,
    /// The currency, as in ISO 4217.
    pub currency: String,
    /// The lines, in the order in which they were added.
    pub items: Json<Vec<Item>>,
    /// Where the order goes, as it was given.
    pub shipping_address: Option<Json<serde_json::Value>>,
    /// When the order was created.
    pub created_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
    /// The version in its stream of the last event.
    pub entity_version: u64,
}

/// A line of an order.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Item {
    /// What is ordered.
    pub product_id: String,
    /// How many pieces.
    pub quantity: i64,
    /// What one piece costs, in hundredths of the currency.
    pub unit_price_cents: i64,
}

/// What happens to an order.
#[derive(Events)]
pub enum OrderEvent<'a> {
    /// A customer began an order.
    #[event("order.created")]
    Created(Created),
    /// A line was added.
    #[event("order.item_added")]
    ItemAdded {
        /// The order.
        order_id: Cow<'a, str>,
        /// The line.
        #[serde(flatten)]
        item: Item,
    },
    /// All lines of a product were removed.
    #[event("order.item_removed")]
    ItemRemoved {
        /// The order.
        order_id: Cow<'a, str>,
        /// The product.
        product_id: Cow<'a, str>,
    },
    /// The order was paid for.
    #[event("order.payment_succeeded")]
    PaymentSucceeded {
        /// The order.
        order_id: Cow<'a, str>,
    },
    /// A payment did not go through.
    #[event("order.payment_failed")]
    PaymentFailed {
        /// The order.
        order_id: Cow<'a, str>,
    },
    /// The order took another step on its way.
    #[event("order.status_changed")]
    StatusChanged {
        /// The order.
        order_id: Cow<'a, str>,
        /// The step.
        status: String,
    },
    /// The customer has what was ordered.
    #[event("order.completed")]
    Completed {
        /// The order.
        order_id: Cow<'a, str>,
        /// When that was.
        completed_at: Timestamp,
    },
    /// The order will not be carried out.
    #[event("order.cancelled")]
    Cancelled {
        /// The order.
        order_id: Cow<'a, str>,
    },
}

/// The payload of `order.created`.
#[derive(Deserialize)]
pub struct Created {
    order_id: String,
    customer_id: String,
    currency: String,
    shipping_address: Option<serde_json::Value>,
}

/// Keeps `order_summaries`.
#[projector(name = "orders", version = "1.0.0", tables(OrderSummary))]
pub fn orders(event: Event<OrderEvent>, rows: &mut Rows) -> Result<()> {
    let mut order = match &event.data {
        OrderEvent::Created(created) => OrderSummary::new(created, event.time),
        other => find(rows, other.order_id())?,
    };
    match event.data {
        OrderEvent::Created(_) => {}
        OrderEvent::ItemAdded { item, .. } => order.change_items(|items| items.push(item)),
        OrderEvent::ItemRemoved { product_id, .. } => {
            order.change_items(|items| items.retain(|item| item.product_id != product_id));
        }
        OrderEvent::PaymentSucceeded { .. } => order.payment_status = "paid".into(),
        OrderEvent::PaymentFailed { .. } => order.payment_status = "failed".into(),
        OrderEvent::StatusChanged { status, .. } => order.status = status,
        OrderEvent::Completed { completed_at, .. } => {
            order.status = "completed".into();
            order.completed_at = Some(completed_at);
        }
        OrderEvent::Cancelled { .. } => order.status = "cancelled".into(),
    }
    order.updated_at = event.time;
    order.entity_version = event.version;
    rows.upsert(&order);
    Ok(())
}

fn find(rows: &mut Rows, order_id: &str) -> Result<OrderSummary> {
    match rows.get(OrderSummary::key(order_id))? {
        Some(order) => Ok(order),
        None => bail!("order `{order_id}` was never created"),
    }
}

impl OrderSummary {
    fn new(created: &Created, at: Timestamp) -> Self {
        Self {
            order_id: created.order_id.clone(),
            customer_id: created.customer_id.clone(),
            status: "open".into(),
            payment_status: "pending".into(),
            item_count: 0,
            total_cents: 0,
            currency: created.currency.clone(),
            items: Json(Vec::new()),
            shipping_address: created.shipping_address.clone().map(Json),
            created_at: at,
            completed_at: None,
            updated_at: at,
            entity_version: 0,
        }
    }

    fn change_items(&mut self, change: impl FnOnce(&mut Vec<Item>)) {
        change(&mut self.items);
        self.item_count = self.items.iter().map(|item| item.quantity).sum();
        self.total_cents = self
            .items
            .iter()
            .map(|item| item.quantity * item.unit_price_cents)
            .sum();
    }
}

impl OrderEvent<'_> {
    fn order_id(&self) -> &str {
        match self {
            Self::Created(created) => &created.order_id,
            Self::ItemAdded { order_id, .. }
            | Self::ItemRemoved { order_id, .. }
            | Self::PaymentSucceeded { order_id }
            | Self::PaymentFailed { order_id }
            | Self::StatusChanged { order_id, .. }
            | Self::Completed { order_id, .. }
            | Self::Cancelled { order_id } => order_id,
        }
    }
}

#[cfg(test)]
mod tests;

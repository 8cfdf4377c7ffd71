//! Orders as the customer sees them, and the lines that suppliers still have to
//! send.

use std::collections::HashSet;

use lantern_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// One order with its lines inside it.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "commerce_orders",
    guarded,
    tenant_keyed,
    index(customer_id, created_at desc),
    index(status, created_at desc),
    index(payment_status),
    index(attribution -> "$.author_id"),
)]
pub struct CommerceOrder {
    /// The order.
    #[key]
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// How far it is, such as `placed`, `confirmed`, `shipped` or `cancelled`.
    pub status: String,
    /// How the payment stands, such as `pending`, `paid`, `failed` or `refunded`.
    pub payment_status: String,
    /// How many pieces are ordered, without cancelled lines.
    pub item_count: i64,
    /// What they cost together, in hundredths of the currency.
    pub total_cents: i64,
    /// The currency, as in ISO 4217.
    pub currency: String,
    /// Every line there ever was, cancelled ones too.
    pub items: Json<Vec<Item>>,
    /// What in the feed led to the order, if anything did.
    pub attribution: Option<Json<Attribution>>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When all suppliers had confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// When the last parcel was sent.
    pub shipped_at: Option<Timestamp>,
    /// When the last parcel arrived.
    pub delivered_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When the money was given back.
    pub refunded_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// The version of the order that this is.
    pub entity_version: u64,
}

/// A line of an order that its supplier has yet to send.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "supplier_queue",
    guarded,
    tenant_keyed,
    // A supplier's work, by how far it is, what waits longest first.
    index(supplier_id, status, created_at),
)]
pub struct QueuedLine {
    /// The order.
    #[key]
    pub order_id: String,
    /// The line's number in it.
    #[key]
    pub line_no: u32,
    /// Who is to send it.
    pub supplier_id: String,
    /// How far the line is, such as `pending`, `confirmed` or `packed`.
    pub status: String,
    /// What is to be sent.
    pub product_id: String,
    /// How many pieces.
    pub quantity: u32,
    /// How the payment of the order stands.
    pub payment_status: String,
    /// When the order was placed.
    pub created_at: Timestamp,
    /// The version of the order by which the line is so.
    pub entity_version: u64,
}

/// A line of an order.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number in the order, never used again.
    pub line_no: u32,
    /// What is ordered.
    pub product_id: String,
    /// Who sends it.
    pub supplier_id: String,
    /// How many pieces.
    pub quantity: u32,
    /// What one piece costs, in hundredths of the currency.
    pub unit_price_cents: i64,
    /// How far it is.
    pub status: String,
}

/// What in the feed led to an order.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Attribution {
    /// The post or promotion.
    pub source_id: String,
    /// `post` or `promotion`.
    pub item_type: String,
    /// Whose it is.
    pub author_id: String,
    /// The campaign it belongs to, if any.
    pub campaign: Option<String>,
}

/// An order, as `commerce_order.*` events hold it. A line that is taken out
/// stays in it, as `cancelled`.
#[derive(Deserialize)]
pub struct Order {
    order_id: String,
    customer_id: String,
    status: String,
    payment_status: String,
    currency: String,
    items: Vec<Item>,
    attribution: Option<Attribution>,
    created_at: Timestamp,
    paid_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    shipped_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    refunded_at: Option<Timestamp>,
}

/// The status of an order that nobody waits for any more, and of a line with which
/// nobody has anything left to pay for.
const CANCELLED: &str = "cancelled";
/// Those with which its supplier has nothing left to do. A status that is not
/// among them waits for the supplier, also one that this projector never met:
/// better a line too much in the queue than a parcel never sent.
const OFF_THE_QUEUE: [&str; 4] = ["shipped", "delivered", "returned", CANCELLED];

/// Those with which no supplier of an order has anything left to do, whatever its
/// lines say: nothing is sent that nobody waits for, or has paid for.
const CALLED_OFF: [&str; 2] = [CANCELLED, "refunded"];

/// Makes the order and its lines in the queue be as of this moment.
///
/// # Errors
///
/// Fails on an order with two lines of one number, or whose total is more than
/// a column holds.
pub fn project(order: Order, at: Moment, rows: &mut Rows) -> Result<()> {
    check_line_numbers(&order)?;
    for item in &order.items {
        queue(&order, item, at, rows);
    }
    let (item_count, total_cents) = totals(&order)?;
    let row = CommerceOrder {
        order_id: order.order_id,
        customer_id: order.customer_id,
        status: order.status,
        payment_status: order.payment_status,
        item_count,
        total_cents,
        currency: order.currency,
        items: Json(order.items),
        attribution: order.attribution.map(Json),
        created_at: order.created_at,
        paid_at: order.paid_at,
        confirmed_at: order.confirmed_at,
        shipped_at: order.shipped_at,
        delivered_at: order.delivered_at,
        cancelled_at: order.cancelled_at,
        refunded_at: order.refunded_at,
        updated_at: at.time,
        entity_version: at.version,
    };
    rows.upsert(&row).guard(at.version);
    Ok(())
}

/// Puts a line into its supplier's queue, or takes it out. Since an order names
/// every line it ever had, each line is guarded by itself and nothing need be
/// read to find lines that are gone.
fn queue(order: &Order, item: &Item, at: Moment, rows: &mut Rows) {
    let is_called_off = CALLED_OFF.contains(&order.status.as_str());
    if is_called_off || OFF_THE_QUEUE.contains(&item.status.as_str()) {
        rows.delete(QueuedLine::key(&order.order_id, item.line_no))
            .guard(at.version);
        return;
    }
    let line = QueuedLine {
        order_id: order.order_id.clone(),
        line_no: item.line_no,
        supplier_id: item.supplier_id.clone(),
        status: item.status.clone(),
        product_id: item.product_id.clone(),
        quantity: item.quantity,
        payment_status: order.payment_status.clone(),
        created_at: order.created_at,
        entity_version: at.version,
    };
    rows.upsert(&line).guard(at.version);
}

/// Two lines of one number would be one row, and the second would hide the
/// first from its supplier.
fn check_line_numbers(order: &Order) -> Result<()> {
    let mut seen = HashSet::new();
    for item in &order.items {
        if !seen.insert(item.line_no) {
            bail!(
                "order `{}` has two lines of number {}",
                order.order_id,
                item.line_no
            );
        }
    }
    Ok(())
}

/// Pieces and price of what is not cancelled.
fn totals(order: &Order) -> Result<(i64, i64)> {
    let (mut pieces, mut cents) = (0_i64, 0_i64);
    for item in order.items.iter().filter(|item| item.status != CANCELLED) {
        let quantity = i64::from(item.quantity);
        pieces += quantity;
        let sum = quantity
            .checked_mul(item.unit_price_cents)
            .and_then(|price| cents.checked_add(price));
        let Some(sum) = sum else {
            bail!("the total of order `{}` is out of range", order.order_id);
        };
        cents = sum;
    }
    Ok((pieces, cents))
}

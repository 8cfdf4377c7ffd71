//! An order's rows, with the names of its customer and its products.
//!
//! An order shows names as they were when it was first seen: what was sold under
//! one name stays sold under it, whatever it is called later. So a name that the
//! order's row has is kept, and only one that it has not is looked up.

use lantern_sdk::prelude::*;

use crate::events::{Line, OrderState, total_cents};
use crate::tables::{Customer, OrderItem, OrderSummary, Product};

/// Writes an order's rows as this state says. Which states are stale is for the
/// host to say, row by row: it counts them, and a second opinion here could only
/// differ.
///
/// # Errors
///
/// Fails when a total is more than a column holds.
pub(crate) fn project(order: &OrderState, rows: &mut Rows) -> Result<()> {
    let (removed, lines): (Vec<&Line>, Vec<&Line>) =
        order.lines.iter().partition(|line| line.quantity == 0);
    let summary = OrderSummary {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        customer_name: customer_name(order, rows)?,
        status: order.status.clone(),
        line_count: lines.len() as i64,
        item_count: lines.iter().map(|line| i64::from(line.quantity)).sum(),
        total_cents: total_cents(lines.iter().copied())?,
        currency: order.currency.clone(),
        placed_at: order.placed_at,
        updated_at: order.updated_at,
        event_version: order.event_version,
    };
    let items = items(order, &lines, rows)?;
    rows.upsert(&summary).guard(order.event_version);
    for item in &items {
        rows.upsert(item).guard(order.event_version);
    }
    for line in removed {
        rows.delete(OrderItem::key(&order.order_id, line.line_no))
            .guard(order.event_version);
    }
    Ok(())
}

fn customer_name(order: &OrderState, rows: &mut Rows) -> Result<Option<String>> {
    let known = rows.get(OrderSummary::key(&order.order_id))?;
    let of_order = known.filter(|known| known.customer_id == order.customer_id);
    if let Some(name) = of_order.and_then(|known| known.customer_name) {
        return Ok(Some(name));
    }
    let customer = rows.get(Customer::key(&order.customer_id))?;
    Ok(customer.map(|customer| customer.name))
}

/// The items of the lines. However many there are, two questions to the host.
fn items(order: &OrderState, lines: &[&Line], rows: &mut Rows) -> Result<Vec<OrderItem>> {
    let keys = lines
        .iter()
        .map(|line| OrderItem::key(&order.order_id, line.line_no));
    let known = rows.get_many(keys)?;
    let products = rows.get_many(lines.iter().map(|line| Product::key(&line.product_id)))?;
    let found = lines.iter().zip(known.into_iter().zip(products));
    found
        .map(|(line, (known, product))| item(order, line, known, product))
        .collect()
}

fn item(
    order: &OrderState,
    line: &Line,
    known: Option<OrderItem>,
    product: Option<Product>,
) -> Result<OrderItem> {
    let of_line = known.filter(|known| known.product_id == line.product_id);
    let (product_name, product_category) = match (of_line, product) {
        (Some(known), _) if known.product_name.is_some() => {
            (known.product_name, known.product_category)
        }
        (_, Some(product)) => (Some(product.name), product.category),
        (_, None) => (None, None),
    };
    Ok(OrderItem {
        order_id: order.order_id.clone(),
        line_no: line.line_no,
        product_id: line.product_id.clone(),
        product_name,
        product_category,
        quantity: line.quantity,
        unit_price_cents: line.unit_price_cents,
        total_cents: total_cents([line])?,
        currency: order.currency.clone(),
    })
}

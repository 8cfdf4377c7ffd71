//! Orders and their items with the names of customers and products in them, so
//! that a page is one row, or the rows of one key, and no join.
//!
//! The names come from the customers' and products' own events, kept in tables
//! of the projector's own and looked up there ([`order`]). The tables are
//! guarded by the version that each event carries: an event that comes twice or
//! late changes nothing that a newer one has said. A guard is enough here since
//! each event carries the whole state of its thing, and each row is written
//! whole.

use lantern_sdk::prelude::*;

mod events;
mod order;
mod tables;

pub use events::{CustomerState, Erased, Line, OrderState, ProductState, ShopEvent};
pub use tables::{Customer, OrderItem, OrderSummary, Product};

/// Keeps `order_summary`, `order_items`, `customers` and `products`.
#[projector(
    name = "shop",
    version = "1.0.0",
    tables(OrderSummary, OrderItem, Customer, Product),
    // What an order looks up, so that a page of orders asks once for all of them.
    lookup(OrderSummary, types("order.*"), key("$.order_id")),
    lookup(OrderItem, types("order.*"), key("$.order_id", "$.lines[*].line_no")),
    lookup(Customer, types("order.*"), key("$.customer_id")),
    lookup(Product, types("order.*"), key("$.lines[*].product_id"))
)]
pub fn shop(event: Event<ShopEvent>, rows: &mut Rows) -> Result<()> {
    match event.data {
        ShopEvent::Customer(customer) => {
            let version = customer.event_version;
            rows.upsert(&Customer::from(customer)).guard(version);
        }
        // The host remembers the version, so that an older event cannot bring
        // the customer back.
        ShopEvent::CustomerErased(erased) => {
            rows.delete(Customer::key(&erased.customer_id))
                .guard(erased.event_version);
        }
        ShopEvent::Product(product) => {
            let version = product.event_version;
            rows.upsert(&Product::from(product)).guard(version);
        }
        ShopEvent::Order(order) => order::project(&order, rows)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Orders as people look for them: by any words of their number, customer,
//! products and note.
//!
//! The same events as `shop`, and again they may come twice or out of order: the
//! table is guarded by the version of the order's state. Customers and products
//! are kept from their own events, as far as they are searched by; a projector
//! reads its own tables and no others.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// What an order is found by, and enough of it to be shown in a list.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "order_search",
    tenant_keyed,
    guarded,
    text(order_id, customer_name, product_names, note)
)]
pub struct FoundOrder {
    /// The order.
    #[key]
    pub order_id: String,
    /// Who ordered; null while the customer is not known.
    pub customer_name: Option<String>,
    /// What is ordered, with commas between; without products that are not known
    /// yet.
    pub product_names: String,
    /// What the customer wants to be heeded.
    pub note: Option<String>,
    /// `placed`, `paid`, `shipped`, `delivered` or `cancelled`.
    pub status: String,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// What a customer is called.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "search_customers", tenant_keyed, guarded)]
pub struct Customer {
    /// The customer.
    #[key]
    pub customer_id: String,
    /// Their name.
    pub name: String,
}

/// What a product is called.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "search_products", tenant_keyed, guarded)]
pub struct Product {
    /// The product.
    #[key]
    pub product_id: String,
    /// Its name.
    pub name: String,
}

/// What happens in a shop, as far as a search is concerned.
#[derive(Events)]
pub enum ShopEvent {
    /// A customer came, or is called otherwise now.
    #[event("customer.registered", "customer.changed")]
    Customer {
        customer_id: String,
        event_version: u64,
        name: String,
    },
    /// A customer wants to be forgotten.
    #[event("customer.erased")]
    CustomerErased {
        customer_id: String,
        event_version: u64,
    },
    /// A product came, or is called otherwise now.
    #[event("product.listed", "product.changed")]
    Product {
        product_id: String,
        event_version: u64,
        name: String,
    },
    /// An order was placed, or something about it changed.
    #[event("order.placed", "order.updated")]
    Order(OrderState),
}

/// The parts of an order's state by which it is found.
#[derive(Deserialize)]
pub struct OrderState {
    order_id: String,
    event_version: u64,
    customer_id: String,
    status: String,
    placed_at: Timestamp,
    note: Option<String>,
    lines: Vec<Line>,
}

/// A line of an order. One that was removed has quantity 0.
#[derive(Deserialize)]
pub struct Line {
    product_id: String,
    quantity: u32,
}

/// Keeps `order_search`, `search_customers` and `search_products`.
#[projector(
    name = "order_search",
    version = "1.0.0",
    tables(FoundOrder, Customer, Product),
    lookup(FoundOrder, types("order.*"), key("$.order_id")),
    lookup(Customer, types("order.*"), key("$.customer_id")),
    lookup(Product, types("order.*"), key("$.lines[*].product_id"))
)]
pub fn order_search(event: Event<ShopEvent>, rows: &mut Rows) -> Result<()> {
    match event.data {
        ShopEvent::Customer {
            customer_id,
            event_version,
            name,
        } => {
            rows.upsert(&Customer { customer_id, name })
                .guard(event_version);
        }
        ShopEvent::CustomerErased {
            customer_id,
            event_version,
        } => {
            rows.delete(Customer::key(&customer_id))
                .guard(event_version);
        }
        ShopEvent::Product {
            product_id,
            event_version,
            name,
        } => {
            rows.upsert(&Product { product_id, name })
                .guard(event_version);
        }
        ShopEvent::Order(order) => {
            let version = order.event_version;
            let found = FoundOrder::of(order, rows)?;
            rows.upsert(&found).guard(version);
        }
    }
    Ok(())
}

impl FoundOrder {
    /// The order with the names of this moment. Which states are stale is for the
    /// host to say.
    fn of(order: OrderState, rows: &mut Rows) -> Result<Self> {
        let customer = rows.get(Customer::key(&order.customer_id))?;
        let ordered = order.lines.iter().filter(|line| line.quantity > 0);
        let products = rows.get_many(ordered.map(|line| Product::key(&line.product_id)))?;
        let names: Vec<String> = products.into_iter().flatten().map(|p| p.name).collect();
        Ok(Self {
            order_id: order.order_id,
            customer_name: customer.map(|customer| customer.name),
            product_names: names.join(", "),
            note: order.note,
            status: order.status,
            placed_at: order.placed_at,
        })
    }
}

#[cfg(test)]
mod tests;

//! The tables. Each is tenant-keyed, since a shop is a tenant, and guarded by the
//! version that the events carry.

use lantern_sdk::prelude::*;

use crate::events::{CustomerState, ProductState};

/// One order, as a list of orders shows it.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "order_summary",
    tenant_keyed,
    guarded,
    index(customer_id, placed_at desc),
    index(status, placed_at desc),
)]
pub struct OrderSummary {
    /// The order.
    #[key]
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// What they were called then; null while the customer is not known.
    pub customer_name: Option<String>,
    /// `placed`, `paid`, `shipped`, `delivered` or `cancelled`.
    pub status: String,
    /// How many lines there are, without those that were removed.
    pub line_count: i64,
    /// How many pieces there are in all of them.
    pub item_count: i64,
    /// What they cost together, in hundredths of the currency.
    pub total_cents: i64,
    /// The currency, as in ISO 4217.
    pub currency: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
    /// The version of the state that is shown.
    pub event_version: u64,
}

/// A line of an order.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "order_items", tenant_keyed, guarded, index(product_id))]
pub struct OrderItem {
    /// The order.
    #[key]
    pub order_id: String,
    /// The line's number in it.
    #[key]
    pub line_no: u32,
    /// What is ordered.
    pub product_id: String,
    /// What it was called then; null while the product is not known.
    pub product_name: Option<String>,
    /// What it was sorted under then.
    pub product_category: Option<String>,
    /// How many pieces.
    pub quantity: u32,
    /// What one piece costs, in hundredths of the currency.
    pub unit_price_cents: u32,
    /// What all of them cost.
    pub total_cents: i64,
    /// The currency, as in ISO 4217.
    pub currency: String,
}

/// A customer as they are now, to look names up.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "customers", tenant_keyed, guarded)]
pub struct Customer {
    /// The customer.
    #[key]
    pub customer_id: String,
    /// What they are called.
    pub name: String,
    /// Where to write to them.
    pub email: Option<String>,
}

/// A product as it is now, to look names up.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "products", tenant_keyed, guarded)]
pub struct Product {
    /// The product.
    #[key]
    pub product_id: String,
    /// What it is called.
    pub name: String,
    /// What it is sorted under.
    pub category: Option<String>,
}

impl From<CustomerState> for Customer {
    fn from(state: CustomerState) -> Self {
        Self {
            customer_id: state.customer_id,
            name: state.name,
            email: state.email,
        }
    }
}

impl From<ProductState> for Product {
    fn from(state: ProductState) -> Self {
        Self {
            product_id: state.product_id,
            name: state.name,
            category: state.category,
        }
    }
}

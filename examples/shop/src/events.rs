//! What happens in a shop.
//!
//! Each event carries the whole state of its thing after it happened, and that
//! state's version, counted from 1 for each customer, product and order.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// What happens in a shop.
#[derive(Events)]
pub enum ShopEvent {
    /// A customer came, or something about them changed.
    #[event("customer.registered", "customer.changed")]
    Customer(CustomerState),
    /// A customer wants to be forgotten.
    #[event("customer.erased")]
    CustomerErased(Erased),
    /// A product came, or something about it changed.
    #[event("product.listed", "product.changed")]
    Product(ProductState),
    /// An order was placed, or something about it changed.
    #[event("order.placed", "order.updated")]
    Order(OrderState),
}

/// A customer.
#[derive(Deserialize)]
pub struct CustomerState {
    pub(crate) customer_id: String,
    pub(crate) event_version: u64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// The payload of `customer.erased`.
#[derive(Deserialize)]
pub struct Erased {
    pub(crate) customer_id: String,
    pub(crate) event_version: u64,
}

/// A product.
#[derive(Deserialize)]
pub struct ProductState {
    pub(crate) product_id: String,
    pub(crate) event_version: u64,
    pub(crate) name: String,
    pub(crate) category: Option<String>,
}

/// An order with all the lines it has ever had.
#[derive(Deserialize)]
pub struct OrderState {
    pub(crate) order_id: String,
    pub(crate) event_version: u64,
    pub(crate) customer_id: String,
    /// `placed`, `paid`, `shipped`, `delivered` or `cancelled`.
    pub(crate) status: String,
    /// The currency, as in ISO 4217.
    pub(crate) currency: String,
    pub(crate) placed_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) lines: Vec<Line>,
}

/// A line of an order. One that was removed is still there, with quantity 0:
/// were it left out, an older event that comes late would bring it back.
#[derive(Deserialize)]
pub struct Line {
    /// Its number in the order; a number is never given again.
    pub(crate) line_no: u32,
    pub(crate) product_id: String,
    pub(crate) quantity: u32,
    /// What one piece costs, as agreed, in hundredths of the currency.
    pub(crate) unit_price_cents: u32,
}

/// What lines cost together.
///
/// # Errors
///
/// Fails when it is more than a column holds.
pub(crate) fn total_cents<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Result<i64> {
    let lines = lines.into_iter();
    let sum: i128 = lines
        .map(|line| i128::from(line.quantity) * i128::from(line.unit_price_cents))
        .sum();
    i64::try_from(sum)
        .map_err(|_| Error::new(format_args!("{sum} cents are more than a column holds")))
}

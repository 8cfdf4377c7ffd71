//! What a shop sells each day: orders, cancelled ones, revenue.
//!
//! The same events as `shop`, and again they may come twice or out of order. A
//! guard would be of no use on a day's row: a version belongs to one order, and
//! the row adds up many. So the projector keeps what each order counts for, and
//! on a newer state takes that back and adds what the order counts for now.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// A day's orders in one currency.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "order_analytics", tenant_keyed)]
pub struct DayOfOrders {
    /// The day in UTC on which the orders were placed, as `2026-05-04`.
    #[key]
    pub day: String,
    /// The currency, as in ISO 4217.
    #[key]
    pub currency: String,
    /// How many orders were placed.
    pub orders: i64,
    /// How many of them were cancelled since.
    pub cancelled: i64,
    /// What those that were not come to, in hundredths of the currency.
    pub revenue_cents: i64,
}

/// What an order counts for at present.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "order_contributions", tenant_keyed)]
pub struct Contribution {
    /// The order.
    #[key]
    pub order_id: String,
    /// The day to which it is counted.
    pub day: String,
    /// The currency in which it is counted.
    pub currency: String,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// What it adds to the revenue; 0 when it was cancelled.
    pub revenue_cents: i64,
    /// The version of the state that is counted.
    pub event_version: u64,
}

/// What happens to an order.
#[derive(Events)]
pub enum OrderEvent {
    /// It was placed, or something about it changed.
    #[event("order.placed", "order.updated")]
    Order(OrderState),
}

/// The parts of an order's state that count.
#[derive(Deserialize)]
pub struct OrderState {
    order_id: String,
    event_version: u64,
    status: String,
    currency: String,
    placed_at: Timestamp,
    lines: Vec<Line>,
}

/// A line of an order.
#[derive(Deserialize)]
pub struct Line {
    quantity: u32,
    unit_price_cents: u32,
}

/// Keeps `order_analytics` and `order_contributions`.
#[projector(
    name = "order_analytics",
    version = "1.0.0",
    tables(DayOfOrders, Contribution),
    lookup(Contribution, key("$.order_id"))
)]
pub fn order_analytics(event: Event<OrderEvent>, rows: &mut Rows) -> Result<()> {
    let OrderEvent::Order(order) = event.data;
    let counted = rows.get(Contribution::key(&order.order_id))?;
    let version = order.event_version;
    if counted
        .as_ref()
        .is_some_and(|it| it.event_version >= version)
    {
        return Ok(());
    }
    let contribution = Contribution::of(order)?;
    if let Some(counted) = counted {
        counted.give_way(&contribution, rows)?;
    }
    contribution.add(rows, 1);
    rows.upsert(&contribution);
    Ok(())
}

impl Contribution {
    fn of(order: OrderState) -> Result<Self> {
        let cancelled = order.status == "cancelled";
        let revenue_cents = if cancelled { 0 } else { order.total_cents()? };
        Ok(Self {
            day: order.placed_at.date(),
            order_id: order.order_id,
            currency: order.currency,
            cancelled,
            revenue_cents,
            event_version: order.event_version,
        })
    }

    /// Takes back what the order has counted for. Where it moves to another day or
    /// currency, as its date was corrected, and was the last of its day, the day is
    /// gone: one without orders has no row.
    fn give_way(&self, to: &Self, rows: &mut Rows) -> Result<()> {
        let moves = (&self.day, &self.currency) != (&to.day, &to.currency);
        if moves {
            let key = DayOfOrders::key(&self.day, &self.currency);
            if rows.get(key)?.is_some_and(|day| day.orders == 1) {
                rows.delete(DayOfOrders::key(&self.day, &self.currency));
                return Ok(());
            }
        }
        self.add(rows, -1);
        Ok(())
    }

    /// Adds the order to its day so many times: once, or minus once. Increments
    /// of all columns make a row that is not there yet.
    fn add(&self, rows: &mut Rows, times: i64) {
        rows.increment(DayOfOrders::key(&self.day, &self.currency))
            .by(DayOfOrders::orders, times)
            .by(DayOfOrders::cancelled, times * i64::from(self.cancelled))
            .by(DayOfOrders::revenue_cents, times * self.revenue_cents);
    }
}

impl OrderState {
    fn total_cents(&self) -> Result<i64> {
        let costs = self
            .lines
            .iter()
            .map(|line| i128::from(line.quantity) * i128::from(line.unit_price_cents));
        let sum: i128 = costs.sum();
        i64::try_from(sum)
            .map_err(|_| Error::new(format_args!("{sum} cents are more than a column holds")))
    }
}

#[cfg(test)]
mod tests;

//! The standard workload: orders, four events each, interleaved fifty at a time.

use lantern::model::{Event, Payload, Timestamp};
use lantern::source::{EventStore, SourceError};

/// Orders in flight at the same time.
const INTERLEAVED: usize = 50;

/// The time of the first event: 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// Appends the events of `orders` orders: `order.created`, two
/// `order.item_added`, `order.completed`, about 180 bytes of JSON each.
pub(crate) async fn append(store: &dyn EventStore, orders: usize) -> Result<(), SourceError> {
    let mut random = Random(0x1a27_e4b1);
    let mut chunk = Vec::new();
    let mut time = BEGINNING;
    for first in (0..orders).step_by(INTERLEAVED) {
        let last = (first + INTERLEAVED).min(orders);
        for step in 0..4 {
            for order in first..last {
                time += 1_000 + (random.next() % 100_000) as i64;
                chunk.push(event(order, step, time, &mut random));
            }
        }
        if chunk.len() >= 10_000 {
            store.append(std::mem::take(&mut chunk), Vec::new()).await?;
        }
    }
    store.append(chunk, Vec::new()).await?;
    Ok(())
}

/// One event of one order.
pub(crate) fn event(order: usize, step: usize, time: i64, random: &mut Random) -> Event {
    // Ordered by time, as UUIDs of version 7 are.
    let order_id = format!("0199{order:08x}-7000-8000-{:012x}", order * 7919);
    let time = Timestamp(time);
    let (event_type, data) = match step {
        0 => (
            "order.created",
            format!(
                r#"{{"order_id":"{order_id}","customer_id":"customer-{:06}","currency":"EUR","shipping_address":{{"street":"{} Harbour Street","city":"Ghent","zip":"9000","country":"BE"}}}}"#,
                random.next() % 20_000,
                1 + random.next() % 200
            ),
        ),
        1 | 2 => (
            "order.item_added",
            format!(
                r#"{{"order_id":"{order_id}","product_id":"product-{:05}","description":"an article of daily use, sold by the piece, in its box","quantity":{},"unit_price_cents":{}}}"#,
                random.next() % 5_000,
                1 + random.next() % 5,
                100 + random.next() % 20_000
            ),
        ),
        _ => (
            "order.completed",
            format!(
                r#"{{"order_id":"{order_id}","completed_at":"{time}","carrier":"parcel service of the quay","note":"left with a neighbour at number eleven"}}"#
            ),
        ),
    };
    Event {
        id: format!("{order:x}-{step}"),
        source: "/bench".into(),
        event_type: event_type.into(),
        stream: format!("order-{order_id}"),
        tenant: String::new(),
        time,
        data: Payload::Text(data),
        metadata: None,
    }
}

/// Numbers from a seed (xorshift64), the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 3
    }
}

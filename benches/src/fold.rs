//! What events do to orders, as every native contestant computes it.

use hashbrown::HashMap;
use lantern::model::Timestamp;
use serde::Deserialize;

/// An event as a subscription hands it to a team's handlers.
#[expect(dead_code, reason = "a handler may want any of it")]
pub(crate) struct Envelope {
    pub(crate) position: i64,
    pub(crate) id: String,
    pub(crate) stream: String,
    pub(crate) event_type: String,
    pub(crate) version: i64,
    pub(crate) time: i64,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
}

#[derive(Deserialize)]
struct Created<'a> {
    order_id: &'a str,
    customer_id: &'a str,
    currency: &'a str,
}

#[derive(Deserialize)]
struct ItemAdded<'a> {
    order_id: &'a str,
    quantity: i64,
    unit_price_cents: i64,
}

#[derive(Deserialize)]
struct Completed<'a> {
    order_id: &'a str,
    completed_at: &'a str,
}

/// What some events do to one order.
#[derive(Default)]
pub(crate) struct Delta {
    pub(crate) order_id: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) status: Option<&'static str>,
    pub(crate) item_count: i64,
    pub(crate) total_cents: i64,
    pub(crate) currency: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) entity_version: i64,
}

/// Folds one event into the deltas.
pub(crate) fn fold(
    deltas: &mut HashMap<String, Delta>,
    event_type: &str,
    version: i64,
    time: i64,
    data: &str,
) -> anyhow::Result<()> {
    match event_type {
        "order.created" => {
            let event: Created<'_> = serde_json::from_str(data)?;
            let delta = delta(deltas, event.order_id);
            delta.customer_id = Some(event.customer_id.to_owned());
            delta.currency = Some(event.currency.to_owned());
            delta.status = Some("open");
            delta.created_at = Some(Timestamp(time));
            delta.entity_version = version;
        }
        "order.item_added" => {
            let event: ItemAdded<'_> = serde_json::from_str(data)?;
            let delta = delta(deltas, event.order_id);
            delta.item_count += event.quantity;
            delta.total_cents += event.quantity * event.unit_price_cents;
            delta.entity_version = version;
        }
        "order.completed" => {
            let event: Completed<'_> = serde_json::from_str(data)?;
            let completed_at = Timestamp::parse(event.completed_at)?;
            let delta = delta(deltas, event.order_id);
            delta.status = Some("completed");
            delta.completed_at = Some(completed_at);
            delta.entity_version = version;
        }
        _ => {}
    }
    Ok(())
}

fn delta<'d>(deltas: &'d mut HashMap<String, Delta>, order_id: &str) -> &'d mut Delta {
    deltas.entry_ref(order_id).or_insert_with(|| Delta {
        order_id: order_id.to_owned(),
        ..Delta::default()
    })
}

//! Given these events, when projected, then these rows: tests without a host.
//!
//! ```
//! use lantern_sdk::prelude::*;
//! use lantern_sdk::testing::{event, given, json};
//!
//! #[derive(Table, Debug, PartialEq)]
//! #[table(name = "visits")]
//! struct Visits {
//!     #[key]
//!     page: String,
//!     count: i64,
//! }
//!
//! #[derive(Events)]
//! enum SiteEvent<'a> {
//!     #[event("page.visited")]
//!     Visited { page: Cow<'a, str> },
//! }
//!
//! #[projector(tables(Visits))]
//! fn visits(event: Event<SiteEvent>, rows: &mut Rows) {
//!     let SiteEvent::Visited { page } = event.data;
//!     rows.increment(Visits::key(&page)).by(Visits::count, 1);
//! }
//!
//! given([
//!     event("page.visited").data(json!({ "page": "/" })),
//!     event("page.visited").data(json!({ "page": "/" })),
//! ])
//! .when(visits)
//! .then([Visits { page: "/".into(), count: 2 }]);
//! ```
//!
//! The rows live in memory and follow the same rules as in the host: upsert,
//! patch, increment and delete, reads that see the projector's own writes,
//! guards, tenants, nulls. Nothing is checked that only a database can: unique
//! indexes, and the range of a decimal's digits on disk.
//!
//! [`when`](Given::when) runs the events more than once: all in one batch, one
//! by one, and all in one again. A projector whose rows differ between these
//! keeps something outside of its rows, and the test fails.

mod batch;
mod events;
mod memory;
mod projected;

pub use events::{GivenEvent, event, events_from_json_lines};
pub use projected::{Given, Projected, given};
pub use serde_json::json;

//! Write [Lantern](https://github.com/lantern-host/lantern) projectors in Rust.
//!
//! A projector is a function from events to commands on tables of its own. The
//! host calls it with a batch of events; this crate hands them over one by one,
//! typed, and gathers what the function does to its rows.
//!
//! ```
//! use lantern_sdk::prelude::*;
//!
//! #[derive(Table)]
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
//! #[projector(name = "visits", version = "1.0.0", tables(Visits))]
//! fn visits(event: Event<SiteEvent>, rows: &mut Rows) -> Result<()> {
//!     match event.data {
//!         SiteEvent::Visited { page } => {
//!             rows.increment(Visits::key(&page)).by(Visits::count, 1);
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # The map
//!
//! ```text
//! batch ─► projector.rs ─► event.rs ─► your function ─► rows.rs ─► commands
//!          the loop        typed       table.rs, value.rs: what a row is
//! ```
//!
//! - [`Event`] and [`Events`]: what comes in, and the enum that types it.
//! - [`Table`], [`Column`], [`Value`], [`Assign`]: what a row is, and what its
//!   columns hold: the standard types and [`Timestamp`], [`Decimal`], [`Uuid`],
//!   [`Json`].
//! - [`Rows`]: what a projector does to its rows.
//! - [`log`]: lines for the operator.
//! - [`testing`](mod@testing): given these events, when projected, then these
//!   rows; without a host.
//!
//! The bindings to the host's interface are generated from the WIT files beside
//! this crate and are private. Nothing here is specific to WebAssembly but the
//! few lines that call the host, so a projector's tests run natively.
#![deny(unsafe_code)]
#![forbid(missing_docs)]

// The attribute and the derives write `::lantern_sdk`, in this crate too.
extern crate self as lantern_sdk;

// Generated code lifts and lowers lists by hand, which cannot be done without.
#[allow(unsafe_code, unreachable_pub)]
#[doc(hidden)]
pub mod bindings;

mod assign;
mod cells;
mod decimal;
mod error;
mod event;
mod json;
pub mod log;
mod payload;
mod projector;
mod rows;
mod table;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod timestamp;
mod uuid;
mod value;

pub use assign::{Assign, Number};
pub use cells::{CellReader, CellWriter};
pub use decimal::Decimal;
pub use error::{Error, Result};
pub use event::{Event, Events, Part};
pub use json::Json;
pub use lantern_sdk_macros::{Events, Table, projector};
pub use projector::{Outcome, Projector};
pub use rows::{Command, Increment, Patch, Rows};
pub use table::{Column, Guarded, Key, Owned, Table};
pub use timestamp::Timestamp;
pub use uuid::Uuid;
pub use value::{ColumnType, KeyValue, Value};

/// All that a projector's source usually names.
pub mod prelude {
    pub use std::borrow::Cow;

    pub use crate::{
        Decimal, Error, Event, Events, Json, Result, Rows, Table, Timestamp, Uuid, bail, log,
        projector,
    };
}

/// What the macros' output names. No part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use serde;
    pub use wit_bindgen;

    pub use crate::bindings;
    pub use crate::bindings::exports::lantern::projector::projection::Guest;
    pub use crate::bindings::lantern::projector::types::{
        Batch, Column, Commands, Description, Envelope, EventFilter, Failure, Index, IndexColumn,
        IndexKind, StrictOrder, Table,
    };
    pub use crate::payload::{Payload, PayloadError, borrow_optional};
    #[cfg(target_arch = "wasm32")]
    pub use crate::projector::answer;
    pub use crate::projector::{lookup, run, types_of};
}

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

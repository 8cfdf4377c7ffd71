//! Event logs in PostgreSQL: Lantern's own, and any table that others append to.
//!
//! Both are read in the same way: a `lookout` finds out how far it is safe to
//! read while writers are in flight, and readers never go past that mark.

mod lookout;
mod own;
mod table;

pub use own::{PostgresEventStore, PostgresOptions};
pub use table::{GapRule, TableMapping, TableSource};

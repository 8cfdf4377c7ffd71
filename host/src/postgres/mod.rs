//! Connections to PostgreSQL: one pool for each database, with a budget.
//!
//! A leaf beside the stores: `source` and `read_store` both speak to PostgreSQL,
//! often to the same database, and must share its budget of connections without
//! knowing each other. The room knows URLs, pools and what errors mean; it does
//! not know events, rows or a single table.
//!
//! The rule that keeps a shared pool from locking itself up: whoever holds a
//! connection never waits for another.

mod database;
mod error;

pub use database::{Database, DatabaseOptions, Usage};
pub use error::{Meaning, meaning};

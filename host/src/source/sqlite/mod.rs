//! The event store that needs no server: one SQLite file, opened by as many
//! processes as like.
//!
//! One connection writes, each reader has its own, and write-ahead logging
//! keeps them out of each other's way. The files, in the order of an event's
//! life:
//!
//! - `schema`: the tables, by migrations
//! - `connection`: how the file is opened, and what its errors mean
//! - `store`: [`SqliteEventStore`], which hands work to the others
//! - `append`: one transaction of new events
//! - `import`: the same, for as many events as a file holds
//! - `news`: who appended, here or elsewhere
//! - `read`: the log as columns, with `columns` for where each stands, and `names`
//!   for what is kept as numbers

mod append;
mod columns;
mod connection;
mod import;
mod inline;
mod names;
mod news;
mod read;
mod schema;
mod store;
#[cfg(test)]
mod tests;

pub use connection::{Durability, SqliteOptions};
pub use store::SqliteEventStore;

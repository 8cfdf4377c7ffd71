//! Lantern's own event store on PostgreSQL: the tables of a schema, shared by
//! any number of hosts and by everybody who calls its SQL function.
//!
//! The rules of an append are in one place, the function `lantern_append_events`
//! of the schema: it locks the streams in name order, counts their versions up,
//! and hands out positions while it holds them. So appends to different streams
//! run side by side, and within a stream positions rise with versions. Across
//! streams a lower position may become visible after a higher one; the lookout
//! next door knows how far reading is safe.
//!
//! The files, in the order of an event's life:
//!
//! - `options`: how a store is set up
//! - `schema`: the tables and functions, by migrations
//! - `store`: [`PostgresEventStore`], which hands work to the others
//! - `numbers`: names as numbers, given out ahead of an append
//! - `append`: one statement, one transaction of new events, with its `streams`
//! - `import`: one transaction of as many events as a file holds
//! - `inline`: appends that run inline projectors
//! - `turns`: locks that keep others from appending
//! - `announce`: telling other hosts, after the commit
//! - `read`: the log as columns, with `page` for the statement, `columns` for
//!   its rows, `names` for numbers as names, and `ranges` for filters

mod announce;
mod append;
mod columns;
mod error;
mod import;
mod inline;
mod names;
mod numbers;
mod options;
mod page;
mod ranges;
mod read;
mod schema;
mod store;
mod streams;
#[cfg(test)]
mod tests;
mod turns;

pub use options::PostgresOptions;
pub use store::PostgresEventStore;

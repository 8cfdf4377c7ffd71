//! Read models in a PostgreSQL database.
//!
//! - `options`, `space`, `error`, `migrations`: the schema and its system tables
//! - `writer`, `fence`, `fill`, `reader`, `statements`, `binary`, `numeric`: rows,
//!   on the hot path
//! - `change`, `records`, `generations`, `leases`, `ownership`, `swap`, `gaps`,
//!   `components`: the records
//! - `ddl`, `tables`, `views`, `carry`, `holders`: physical tables, their indexes
//!   and the readers' views
//! - `question`: queries by people
//!
//! Order of locks, so that none waits for another in a circle: the revision, a
//! generation's record, its progress, readers' names, physical tables. A commit
//! begins at the progress, a claim at the record.

mod binary;
mod carry;
mod change;
mod components;
mod ddl;
mod dead_letters;
mod error;
mod fence;
mod fill;
mod gaps;
mod generations;
mod holders;
mod inline;
mod leases;
mod measures;
mod migrations;
mod numeric;
mod options;
mod ownership;
mod question;
mod reader;
mod records;
mod runs;
mod space;
mod statements;
mod store;
mod swap;
mod tables;
mod take_over;
#[cfg(test)]
mod tests;
mod text;
mod views;
mod waiting;
mod writer;

pub use options::PostgresOptions;
pub use store::PostgresReadStore;

//! Read models in a SQLite file.
//!
//! - `connection`, `options`, `error`, `migrations`: the file and its system tables
//! - `writer`, `reader`, `statements`, `value`, `timestamp`: rows, on the hot path
//! - `change`, `records`, `generations`, `ownership`, `swap`, `gaps`: the records
//! - `ddl`, `tables`: physical tables, their indexes and the readers' views
//! - `question`: queries by people

mod change;
mod connection;
mod ddl;
mod dead_letters;
mod error;
mod gaps;
mod generations;
mod inline;
mod measures;
mod migrations;
mod options;
mod ownership;
mod question;
mod reader;
mod records;
mod runs;
mod statements;
mod store;
mod swap;
mod tables;
mod take_over;
#[cfg(test)]
mod tests;
mod text;
mod timestamp;
mod value;
mod waiting;
mod writer;

pub use options::SqliteOptions;
pub use store::SqliteReadStore;

//! Any table of events as a source: appended to by somebody else, read here.
//!
//! A [`TableMapping`] says which column is what; presets know the tables of
//! common tools. Lantern changes nothing there and needs no more than SELECT.
//! In the order of use:
//!
//! - `mapping`, `presets`: what the user says
//! - `survey`: at the opening, whether all of it is true, with `relations` for
//!   who gives out positions and `kinds` for the types of columns
//!   and `trouble` for what errors mean
//! - `store`: [`TableSource`], which hands work to the others
//! - `read`: pages of events, with `statements` for the SQL
//! - `rows`: rows straight into columns, with `decode` for the values and `slots`
//!   for types and tenants
//! - `holes`: that no stream misses an event

mod decode;
mod holes;
mod kinds;
mod mapping;
mod presets;
mod read;
mod relations;
mod rows;
mod slots;
mod statements;
mod store;
mod survey;
#[cfg(test)]
mod tests;
mod trouble;

pub use mapping::{GapRule, TableMapping};
pub use store::TableSource;

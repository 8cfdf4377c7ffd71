//! The same measurements on PostgreSQL, on a server of this program's own.

mod experts;
pub(crate) mod latency;
mod plain;
mod report;
mod rows;
mod server;
pub(crate) mod stages;
pub(crate) mod throughput;

pub(crate) use server::{Server, Way};

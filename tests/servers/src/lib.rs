//! Servers for tests: a real PostgreSQL of one's own.
//!
//! ```no_run
//! let Some(postgres) = lantern_test_servers::Postgres::shared() else {
//!     return; // It is not installed, and that has been said.
//! };
//! let database = postgres.database();
//! database.run("CREATE TABLE t (n bigint)");
//! println!("{}", database.url());
//! ```
//!
//! A server is as near to a real one as a test can afford: the installed
//! binaries, TCP and a Unix socket, a data directory of its own. It trusts
//! everybody, and it does not write through to the disk (`fsync=off`) unless
//! asked to. However the test process ends, its servers end too and their data
//! is removed (`shelter.rs` says how).
//!
//! Where PostgreSQL is not installed, a test is told so and returns early; with
//! `LANTERN_REQUIRE_POSTGRES=1`, as continuous integration sets it, that is a
//! failure.
//!
//! Everything blocks, and may be called from anywhere, tasks of a runtime
//! included.

mod account;
mod binaries;
mod client;
mod database;
mod postgres;
mod process;
mod shelter;

#[cfg(test)]
mod tests;

pub use client::{Answer, QueryError, Rows, Session};
pub use database::TestDatabase;
pub use postgres::{Postgres, PostgresOptions};

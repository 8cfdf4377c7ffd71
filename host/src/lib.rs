//! Lantern keeps read models right: it streams events into sandboxed WebAssembly
//! projectors and applies what they say in one transaction with their checkpoint.
//!
//! ```text
//!  main → cli
//!           └► operations            what an operator can want
//!                └► host             wanted versus running
//!           append · rebuild · watcher
//!              worker · catalog      (strangers to each other)
//!  source · sandbox · unit_of_work · read_store   (strangers to each other)
//!                model               words only;  config, telemetry, postgres, transaction beside it
//! ```
//!
//! Imports point down only. Inside [`worker`], data runs from left to right:
//! events → sandbox → commands → unit of work → row changes → read store.

#![forbid(non_ascii_idents)]

pub mod append;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod host;
pub mod model;
pub mod operations;
pub mod postgres;
pub mod read_store;
pub mod rebuild;
pub mod sandbox;
pub mod source;
pub mod telemetry;
pub mod toolchain;
pub mod transaction;
pub mod unit_of_work;
pub mod watcher;
pub mod worker;

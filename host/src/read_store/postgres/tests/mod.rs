//! The behaviour of every read store, on PostgreSQL; and what only PostgreSQL
//! has.

mod bench;
mod carrying;
mod faults;
mod keeping;
mod sharing;
mod swapping;
mod values;

use bench::PostgresBench;

use crate::read_store::behaviour::read_store_behaviour;

read_store_behaviour!(PostgresBench::new);

//! Which component, which generation, which state.
//!
//! The door: a [`Catalog`] considers candidates (files that appeared in the
//! watched folder), takes those it accepts into its own store of components,
//! records what follows, and hands out loaded components by digest. What to do
//! with a candidate is decided by the pure function in `decide`. The room knows
//! the sandbox and the read store's records; it runs nothing.

mod components;
mod decide;
mod install;

pub use decide::Decision;
pub use install::{Accepted, Candidate, Catalog, Refusal};

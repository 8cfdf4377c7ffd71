//! A new generation beside the live one, from its first event to its swap.
//!
//! Who does what: [`start`] records a generation as building, and that is all;
//! whoever runs the host sees the record and calls [`run`], which fills the
//! generation, makes its indexes, catches up and swaps. `run` can be stopped and
//! called again at any moment, also after a kill: everything it has done is in
//! the read store. It does not touch the live generation, whose own worker keeps
//! it fresh until the swap; after the swap that worker finds itself fenced off.
//!
//! A rewind is a rebuild that ends at a position, and stands there. A part, one
//! tenant's or stream's rows, is built beside the live ones as well, but never
//! becomes live: the live generation takes its rows over, see `part`.

mod part;
mod run;
mod start;

pub use part::take_over;
pub use run::{RebuildEnd, first_fill, run};
pub use start::{StartError, check, start, start_scoped};

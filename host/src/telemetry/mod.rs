//! What is told about a running host.
//!
//! `happened` has one function for each thing that happens; call sites stay one
//! line, and names of fields cannot drift. `logging` decides where it goes.

mod causes;
pub mod happened;
mod logging;

pub use causes::{causes, in_one_line};
pub use logging::start_logging;

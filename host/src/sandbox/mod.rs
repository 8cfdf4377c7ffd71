//! A component in a closed room.
//!
//! The door: [`Sandbox::load`] turns bytes into a [`LoadedProjector`], which
//! says what it is and turns batches of events into commands. Whatever a
//! component does in there (trap, loop, hoard, lie) comes out as a
//! [`ProjectError`] of that one batch. The room knows WebAssembly and the model;
//! it knows no SQL, no files, no workers. Only this room names wasmtime.
//!
//! Every batch meets a fresh instance, so nothing but rows is remembered from
//! one batch to the next, and a rebuild sees what the live run saw.

mod engine;
mod error;
mod instance;
mod limits;
mod loaded;
mod versions;
mod world;

pub use crate::config::Limits;
pub use engine::Sandbox;
pub use error::{LoadError, ProjectError};
pub use loaded::{ComponentFacts, LoadedProjector};
pub use world::WORLD_VERSION;

use crate::model::{Cells, Commands};

/// What a projector may reach while it works: its own rows, and nothing else.
/// The worker provides it; the sandbox does not know where rows come from.
pub trait Rows: Send {
    /// Takes over commands that the projector has made so far.
    fn take(&mut self, commands: Commands) -> Result<(), RowsRefused>;

    /// Reads `count` rows of one table by their keys, laid end to end.
    fn get(&mut self, table: usize, count: usize, keys: &Cells) -> Result<FoundRows, RowsRefused>;
}

/// The rows found for some keys.
#[derive(Debug, Default)]
pub struct FoundRows {
    /// For each key 1 when there is such a row, else 0.
    pub present: Vec<u8>,
    /// The declared columns of the rows there are, end to end.
    pub cells: Cells,
}

/// The provider of rows will not go on. It keeps the reason to itself, to tell
/// whoever called the projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host ended the batch")]
pub struct RowsRefused;

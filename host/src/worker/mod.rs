//! One projector, one task.
//!
//! The door: an [`Assignment`] says which component fills which generation, and
//! [`work`] does it; a [`StatusBoard`] tells how it goes. The loop itself is in
//! `cycle`: read → project → fold → commit. The room joins source, sandbox, unit of work and read store,
//! which do not know each other; it does not know why it was started.

mod ahead;
mod commit;
mod cycle;
mod failure;
mod falter;
mod inline;
mod order;
mod pace;
mod project;
mod quarantine;
mod rows;
mod schedule;
mod settle;
mod status;

pub use failure::{End, without_event};
pub use inline::{InlineError, InlineWorker};
pub use status::{Phase, StatusBoard, WorkerStatus};

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{Failing, Pacing, Update};
use crate::model::GenerationId;
use crate::read_store::{Owner, ReadStore};
use crate::sandbox::LoadedProjector;
use crate::source::{self, Source};

pub use crate::source::Narrow;

/// What a worker is to do.
#[derive(Clone)]
pub struct Assignment {
    /// The component.
    pub projector: Arc<LoadedProjector>,
    /// The generation it fills.
    pub generation: GenerationId,
    /// When the worker is done.
    pub goal: Goal,
    /// Where events come from.
    pub source: Arc<dyn Source>,
    /// Where rows go.
    pub store: Arc<dyn ReadStore>,
    /// How much to take at a time.
    pub pacing: Pacing,
    /// What becomes of events that cannot be projected.
    pub failing: Failing,
    /// How many events may wait, if the projector asks for strict order.
    pub most_waiting: usize,
    /// When it works, if it is to follow the log.
    pub update: Update,
    /// Who claims the generation.
    pub owner: Owner,
}

impl Assignment {
    /// The same for no more of the source than `narrow` allows, done when it has
    /// read all that.
    pub fn narrowed(&self, narrow: Narrow) -> Assignment {
        Assignment {
            source: source::narrow(self.source.clone(), narrow),
            goal: Goal::CatchUp,
            ..self.clone()
        }
    }
}

/// When a worker is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Never: it follows the log.
    Follow,
    /// When it has once read to the head of the log.
    CatchUp,
}

/// Works on an assignment until it is done, asked to stop, fenced off by a later
/// claim, or failed. Writes what it does on `status`.
///
/// When `stop` becomes true, the batch in hand is finished and everything
/// gathered is committed before the worker ends.
pub async fn work(
    assignment: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> End {
    cycle::work(assignment, status, stop).await
}

//! When a host is done, and how things stood then.

use super::Host;
use super::job::Job;
use crate::model::{Checkpoint, Failure, GenerationState, ProjectorName, ProjectorRecord};
use crate::read_store::RefusedFile;
use crate::worker::Phase;

/// How things stood when the host ended.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// Projectors, running or not.
    pub projectors: usize,
    /// Projectors that stand still because of a failure.
    pub failed: Vec<(ProjectorName, Failure)>,
    /// Files that were not taken into use.
    pub refused: Vec<RefusedFile>,
}

impl Host {
    /// Whether every projector that should run has read to `target`, and nothing
    /// is being built. A failed projector is not waited for.
    pub(super) fn is_caught_up(&self, target: &Checkpoint) -> bool {
        self.revision.is_some()
            && self.folder.is_settled()
            && self.all_handed_over()
            && self.wanted().iter().all(|(id, wanted)| {
                let generation = &wanted.generation;
                let is_there = match self.jobs.get(id).map(Job::status) {
                    Some(status) => {
                        status.phase == Phase::Live && status.checkpoint.reaches(target)
                    }
                    // Another host is at it; the records are read again now and then.
                    None => {
                        self.standing_by.contains_key(id) && generation.checkpoint.reaches(target)
                    }
                };
                // A worker that is about to give way to a part still looks live.
                let has_all = generation.state == GenerationState::Live && wanted.part.is_none();
                has_all && is_there
            })
    }

    pub(super) fn report(&self) -> RunReport {
        let failure = |record: &ProjectorRecord| {
            let failed = record.building().into_iter().chain(record.live());
            let failure = failed
                .filter_map(|generation| generation.failure.clone())
                .next()?;
            Some((record.name.clone(), failure))
        };
        RunReport {
            projectors: self.records.len(),
            failed: self.records.iter().filter_map(failure).collect(),
            refused: self.folder.refused(),
        }
    }
}

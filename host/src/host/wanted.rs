//! What the records want to be worked on.

use std::collections::HashMap;

use crate::model::{
    Generation, GenerationId, GenerationState, ProjectorName, ProjectorRecord, WantedState,
};

/// What is to be done with a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Follow the log; before that, make the indexes if there are none yet.
    KeepLive,
    /// Fill it and hand it to the readers; that of a part, get it ready.
    Build,
    /// Have it take over the rows of a part that is ready.
    TakeOver,
}

/// A generation that should be worked on.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: ProjectorName,
    pub(super) generation: Generation,
    /// The generation of a part that it is to take over first.
    pub(super) part: Option<GenerationId>,
}

impl Wanted {
    pub(super) fn task(&self) -> Task {
        match (self.generation.state, self.part) {
            (GenerationState::Building, _) => Task::Build,
            (_, Some(_)) => Task::TakeOver,
            (GenerationState::Live | GenerationState::Retired, None) => Task::KeepLive,
        }
    }
}

/// The generations that should be worked on; with `only`, those of one projector,
/// which is being rebuilt while somebody waits.
pub(super) fn wanted(
    records: &[ProjectorRecord],
    only: Option<&ProjectorName>,
) -> HashMap<GenerationId, Wanted> {
    let mine = |record: &&ProjectorRecord| only.is_none_or(|name| *name == record.name);
    let of_record = |record: &ProjectorRecord| {
        let live = wanted_live(record);
        let building = wanted_building(record, only.is_some());
        live.into_iter().chain(building)
    };
    let wanted = records.iter().filter(mine).flat_map(of_record);
    wanted
        .map(|wanted| (wanted.generation.id, wanted))
        .collect()
}

fn wanted_live(record: &ProjectorRecord) -> Option<Wanted> {
    let live = record.live()?;
    let part = record
        .building()
        .filter(|building| building.is_part_ready());
    // One that has failed stands still, as good a time as any for its part.
    let has_work = live.failure.is_none() || part.is_some();
    (record.wanted == WantedState::Running && has_work).then(|| Wanted {
        name: record.name.clone(),
        generation: live.clone(),
        part: part.map(|part| part.id),
    })
}

fn wanted_building(record: &ProjectorRecord, is_waited_for: bool) -> Option<Wanted> {
    let building = record.building()?;
    // A projector that is to stand still somewhere else need not run for that.
    let is_rewind = building.scope.rewinds_to().is_some();
    let runs = record.wanted == WantedState::Running
        || is_waited_for
        || (record.wanted == WantedState::Paused && is_rewind);
    let has_work = building.failure.is_none() && !building.is_part_ready();
    (runs && has_work).then(|| Wanted {
        name: record.name.clone(),
        generation: building.clone(),
        part: None,
    })
}

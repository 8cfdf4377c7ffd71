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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Checkpoint, ColumnType, Digest, FailureClass, Part, Position, RawDescription, RawTable,
        Scope, Timestamp, WaitingCount,
    };
    use crate::worker::without_event;

    const LIVE: i64 = 1;
    const BUILDING: i64 = 2;

    #[test]
    fn who_stands_still_is_not_built_unless_it_is_rewound_or_waited_for() {
        let rewind = Scope::UpTo(Position(3));
        for (state, scope, by_a_host, by_who_waits) in [
            (
                WantedState::Running,
                Scope::All,
                &[LIVE, BUILDING][..],
                &[LIVE, BUILDING][..],
            ),
            (WantedState::Paused, Scope::All, &[], &[BUILDING]),
            (
                WantedState::Paused,
                rewind.clone(),
                &[BUILDING],
                &[BUILDING],
            ),
            (WantedState::Detached, rewind, &[], &[BUILDING]),
        ] {
            let record = record(state, &scope);
            let told = format!("{state:?} {scope:?}");
            assert_eq!(ids(&record, None), by_a_host, "{told}");
            assert_eq!(ids(&record, Some(&record.name)), by_who_waits, "{told}");
        }
    }

    #[test]
    fn what_failed_stands_still_but_for_a_part_that_is_ready() {
        let mut record = record(WantedState::Running, &Scope::All);
        let failure = || without_event(FailureClass::Event, "no".into(), &Digest::of(b""));
        record.generations[1].failure = Some(failure());
        assert_eq!(ids(&record, None), [LIVE]);
        record.generations[0].failure = Some(failure());
        assert_eq!(ids(&record, None), [0; 0]);

        let part = Part {
            tenant: Some("a".into()),
            stream: None,
        };
        record.generations[1].failure = None;
        record.generations[1].scope = Scope::Part(part);
        let records = [record];
        let found = wanted(&records, None);
        let task = found.get(&GenerationId(LIVE)).map(Wanted::task);
        assert_eq!((found.len(), task), (1, Some(Task::TakeOver)));
    }

    fn ids(record: &ProjectorRecord, only: Option<&ProjectorName>) -> Vec<i64> {
        let found = wanted(std::slice::from_ref(record), only);
        let mut ids: Vec<i64> = found.keys().map(|id| id.0).collect();
        ids.sort_unstable();
        ids
    }

    /// A projector with a generation that is live and one that is being built.
    fn record(wanted: WantedState, scope: &Scope) -> ProjectorRecord {
        let generation = |(id, state, scope): (i64, _, &Scope)| Generation {
            id: GenerationId(id),
            digest: Digest::of(b""),
            description: description().check().unwrap(),
            state,
            scope: scope.clone(),
            took_over: None,
            checkpoint: Checkpoint::start(),
            indexed: true,
            failure: None,
            dead_letters: 0,
            waiting: WaitingCount::default(),
            asked: 0,
            created_at: Timestamp(0),
            live_at: None,
        };
        let both = [
            (LIVE, GenerationState::Live, &Scope::All),
            (BUILDING, GenerationState::Building, scope),
        ];
        ProjectorRecord {
            name: ProjectorName::new("orders").unwrap(),
            wanted,
            file: None,
            file_host: None,
            file_digest: None,
            generations: both.map(generation).to_vec(),
        }
    }

    fn description() -> RawDescription {
        RawDescription {
            name: "orders".into(),
            version: "1.0.0".into(),
            tables: vec![RawTable {
                name: "orders".into(),
                columns: vec![("id".into(), ColumnType::Integer, false)],
                key: vec!["id".into()],
                ..RawTable::default()
            }],
            ..RawDescription::default()
        }
    }
}

//! Candidate + what is stored → what to do. Pure.

use crate::model::{Description, Digest, GenerationId, GenerationState, ProjectorRecord, Table};

/// What to do with a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is in use already, or was and has been rolled back.
    Nothing,
    /// Its projector is new: make its tables and start.
    Install,
    /// Same version, other bytes: it takes over where the former one stands.
    HotReload(GenerationId),
    /// It is the live component again while another was being built: give that
    /// one up.
    KeepLive(GenerationId),
    /// Another version: build its tables beside the live ones.
    Rebuild,
    /// It cannot be taken; the text says why and what to do.
    Refuse(String),
}

/// Decides what to do with a component. `other_file` is the file
/// that the projector came from, when it is still there beside the candidate.
pub(super) fn decide(
    record: Option<&ProjectorRecord>,
    candidate: &Description,
    digest: &Digest,
    other_file: Option<&str>,
) -> Decision {
    let Some(record) = record else {
        return Decision::Install;
    };
    let Some(newest) = record.newest() else {
        return Decision::Install;
    };
    if let Some(other) = other_file
        && candidate.version <= newest.description.version
    {
        return Decision::Refuse(format!(
            "projector `{}` version {} already comes from `{other}`; remove one of the two files",
            record.name, newest.description.version
        ));
    }
    // Asked before anything else: a file that was rolled back must stay so.
    if record.file_digest.as_ref() == Some(digest) || newest.digest == *digest {
        return Decision::Nothing;
    }
    if let (Some(live), Some(building)) = (record.live(), record.building()) {
        if live.digest == *digest {
            return Decision::KeepLive(building.id);
        }
        if building.description.version != candidate.version
            && live.description.version == candidate.version
        {
            return same_version(live.id, &live.description, candidate);
        }
    }
    if newest.description.version != candidate.version {
        return Decision::Rebuild;
    }
    match same_version(newest.id, &newest.description, candidate) {
        // No reader has seen the tables of a version that is still being built.
        Decision::Refuse(_) if newest.state == GenerationState::Building => Decision::Rebuild,
        decision => decision,
    }
}

fn same_version(
    generation: GenerationId,
    running: &Description,
    candidate: &Description,
) -> Decision {
    match difference(running, candidate) {
        None => Decision::HotReload(generation),
        Some(difference) => Decision::Refuse(format!(
            "{difference}, but the version is still {}; raise the version, and the tables are rebuilt \
             beside the live ones",
            candidate.version
        )),
    }
}

/// What of a description differs that rows already written depend on.
fn difference(running: &Description, candidate: &Description) -> Option<String> {
    if running.wants != candidate.wants {
        return Some("the events it wants have changed".into());
    }
    if running.order != candidate.order {
        return Some("the strict order it asks for has changed".into());
    }
    for table in &running.tables {
        let name = &table.name;
        match candidate.tables.iter().find(|other| other.name == *name) {
            None => return Some(format!("table `{name}` is no longer declared")),
            Some(other) if other == table => {}
            Some(other) => {
                return Some(format!(
                    "table `{name}` has changed: {}",
                    change(table, other)
                ));
            }
        }
    }
    if running.tables.len() < candidate.tables.len() {
        return Some("a table has been added".into());
    }
    // Commands name tables by their place in the description.
    let places = running.tables.iter().zip(&candidate.tables);
    (places.into_iter().any(|(a, b)| a.name != b.name))
        .then(|| "the tables have changed places".into())
}

fn change(from: &Table, to: &Table) -> String {
    for column in &from.columns {
        match to.columns.iter().find(|other| other.name == column.name) {
            None => return format!("column `{}` is gone", column.name),
            Some(other) if other.column_type != column.column_type => {
                return format!(
                    "column `{}` was {} and is {}",
                    column.name, column.column_type, other.column_type
                );
            }
            Some(other) if other.nullable != column.nullable => {
                return format!(
                    "column `{}` allows null in one and not in the other",
                    column.name
                );
            }
            Some(_) => {}
        }
    }
    if let Some(added) = to
        .columns
        .iter()
        .find(|c| from.columns.iter().all(|other| other.name != c.name))
    {
        return format!("column `{}` has been added", added.name);
    }
    if from.columns != to.columns {
        return "the columns have changed places".into();
    }
    if from.key != to.key {
        return "its key is another".into();
    }
    if from.indexes != to.indexes {
        return "its indexes are others".into();
    }
    "it is keyed or guarded in another way".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Checkpoint, ColumnType, Generation, GenerationState, OrderKey, Part, RawDescription,
        RawTable, Scope, StrictOrder, Timestamp, WaitingCount, WantedState,
    };

    fn description(version: &str, columns: &[&str]) -> Description {
        let raw = RawDescription {
            name: "orders".into(),
            version: version.into(),
            tables: vec![RawTable {
                name: "order_summaries".into(),
                columns: columns
                    .iter()
                    .map(|name| ((*name).to_owned(), ColumnType::Text, false))
                    .collect(),
                key: vec![columns[0].to_owned()],
                ..RawTable::default()
            }],
            ..RawDescription::default()
        };
        raw.check().unwrap()
    }

    #[test]
    fn another_order_needs_another_version() {
        let running = description("1.0.0", &["id"]);
        let mut candidate = running.clone();
        candidate.order = Some(StrictOrder {
            entity: OrderKey::Stream,
            version: OrderKey::Stream,
        });
        let decision = same_version(GenerationId(1), &running, &candidate);
        let Decision::Refuse(reason) = decision else {
            panic!("{decision:?}");
        };
        assert!(reason.contains("strict order"), "{reason}");
    }

    fn generation(id: i64, version: &str, bytes: &str, state: GenerationState) -> Generation {
        Generation {
            id: GenerationId(id),
            digest: Digest::of(bytes.as_bytes()),
            description: description(version, &["id", "status"]),
            state,
            scope: Scope::All,
            took_over: None,
            checkpoint: Checkpoint::start(),
            indexed: true,
            failure: None,
            created_at: Timestamp(0),
            dead_letters: 0,
            waiting: WaitingCount::default(),
            asked: 0,
            live_at: None,
        }
    }

    fn record(generations: Vec<Generation>) -> ProjectorRecord {
        ProjectorRecord {
            name: description("1.0.0", &["id"]).name,
            wanted: WantedState::Running,
            file: Some("orders.wasm".into()),
            file_host: None,
            file_digest: None,
            generations,
        }
    }

    fn decided(record: &ProjectorRecord, version: &str, bytes: &str) -> Decision {
        let digest = Digest::of(bytes.as_bytes());
        decide(
            Some(record),
            &description(version, &["id", "status"]),
            &digest,
            None,
        )
    }

    #[test]
    fn a_candidate_is_installed_reloaded_rebuilt_or_left_alone() {
        use GenerationState::{Building, Live};
        let live = record(vec![generation(1, "1.0.0", "a", Live)]);
        assert_eq!(decided(&live, "1.0.0", "a"), Decision::Nothing);
        assert_eq!(
            decided(&live, "1.0.0", "b"),
            Decision::HotReload(GenerationId(1))
        );
        assert_eq!(decided(&live, "2.0.0", "b"), Decision::Rebuild);
        assert_eq!(
            decide(
                None,
                &description("1.0.0", &["id"]),
                &Digest::of(b"a"),
                None
            ),
            Decision::Install
        );

        let both = record(vec![
            generation(1, "1.0.0", "a", Live),
            generation(2, "2.0.0", "b", Building),
        ]);
        assert_eq!(
            decided(&both, "1.0.0", "a"),
            Decision::KeepLive(GenerationId(2))
        );
        assert_eq!(
            decided(&both, "1.0.0", "c"),
            Decision::HotReload(GenerationId(1))
        );
        assert_eq!(
            decided(&both, "2.0.0", "c"),
            Decision::HotReload(GenerationId(2))
        );
        assert_eq!(decided(&both, "3.0.0", "c"), Decision::Rebuild);
    }

    #[test]
    fn a_part_that_is_being_rebuilt_brings_no_component() {
        let mut part = generation(2, "1.0.0", "a", GenerationState::Building);
        part.scope = Scope::Part(Part {
            tenant: Some("t".into()),
            stream: None,
        });
        let live = generation(1, "1.0.0", "a", GenerationState::Live);
        let both = record(vec![live, part]);
        assert_eq!(decided(&both, "1.0.0", "a"), Decision::Nothing);
        assert_eq!(
            decided(&both, "1.0.0", "b"),
            Decision::HotReload(GenerationId(1))
        );
        assert_eq!(decided(&both, "2.0.0", "b"), Decision::Rebuild);
        let changed = description("1.0.0", &["id", "state"]);
        let decided = decide(Some(&both), &changed, &Digest::of(b"b"), None);
        assert!(matches!(decided, Decision::Refuse(_)), "{decided:?}");
    }

    #[test]
    fn a_file_that_was_rolled_back_stays_so_until_it_changes() {
        let mut live = record(vec![generation(1, "1.0.0", "a", GenerationState::Live)]);
        live.file_digest = Some(Digest::of(b"b"));
        assert_eq!(decided(&live, "2.0.0", "b"), Decision::Nothing);
        assert_eq!(decided(&live, "2.0.0", "c"), Decision::Rebuild);
    }

    #[test]
    fn tables_that_changed_while_the_version_did_not_are_refused() {
        let live = record(vec![generation(1, "1.0.0", "a", GenerationState::Live)]);
        let changed = description("1.0.0", &["id", "state"]);
        let Decision::Refuse(reason) = decide(Some(&live), &changed, &Digest::of(b"b"), None)
        else {
            panic!("must be refused");
        };
        let building = record(vec![
            generation(1, "0.9.0", "x", GenerationState::Live),
            generation(2, "1.0.0", "a", GenerationState::Building),
        ]);
        let decided = decide(Some(&building), &changed, &Digest::of(b"b"), None);
        assert_eq!(
            decided,
            Decision::Rebuild,
            "no reader has seen those tables"
        );
        assert!(
            reason.contains("column `status` is gone") && reason.contains("raise the version"),
            "{reason}"
        );
    }

    #[test]
    fn of_two_files_the_higher_version_wins() {
        let live = record(vec![generation(1, "1.0.0", "a", GenerationState::Live)]);
        let digest = Digest::of(b"b");
        let newer = description("1.1.0", &["id", "status"]);
        assert_eq!(
            decide(Some(&live), &newer, &digest, Some("orders.wasm")),
            Decision::Rebuild
        );
        let same = description("1.0.0", &["id", "status"]);
        let Decision::Refuse(reason) = decide(Some(&live), &same, &digest, Some("orders.wasm"))
        else {
            panic!("must be refused");
        };
        assert!(
            reason.contains("already comes from `orders.wasm`"),
            "{reason}"
        );
    }
}

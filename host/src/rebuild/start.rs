//! Begins to rebuild what is live: all of it, up to a position, or a part.

use crate::model::{
    Checkpoint, Generation, GenerationId, Part, Pattern, Position, ProjectorName, ProjectorRecord,
    Scope,
};
use crate::read_store::{ReadStore, StoreError};

/// Why a rebuild could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such projector, or it has nothing live.
    #[error("there is no live projector `{0}`")]
    NotLive(String),
    /// A new version is being built, or all of this one.
    #[error("projector `{name}` is being rebuilt, to version {version}")]
    BeingRebuilt {
        /// The projector.
        name: String,
        /// The version that is being built.
        version: String,
    },
    /// A rewind goes back only.
    #[error("projector `{name}` stands at position {stands}, which is not behind {position}")]
    NotBehind {
        /// The projector.
        name: String,
        /// Where it stands.
        stands: Checkpoint,
        /// Where it was to go.
        position: Position,
    },
    /// The source has several partitions, whose order nobody knows.
    #[error(
        "the events of projector `{0}` come from several partitions, which have no common order"
    )]
    Partitions(String),
    /// Nobody can tell which rows of a table are the part's.
    #[error(
        "table `{table}` of projector `{name}` is not keyed by {by}, so that nobody can tell which \
         of its rows are those of {part}"
    )]
    NotKeyed {
        /// The projector.
        name: String,
        /// The table.
        table: String,
        /// `tenant` or `stream`.
        by: &'static str,
        /// What was to be rebuilt.
        part: Part,
    },
    /// What waits for its turn belongs to the whole.
    #[error(
        "projector `{name}` asks for strict order: what waits, and the versions its entities have \
         come to, are kept for all of it, so that no part can be rebuilt alone"
    )]
    Ordered {
        /// The projector.
        name: String,
    },
    /// The projector gets no event of the part.
    #[error("projector `{name}` wants no events of {part}")]
    NotWanted {
        /// The projector.
        name: String,
        /// What was to be rebuilt.
        part: Part,
    },
    /// The read store could not record it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins to rebuild a projector with the component that is live. A rebuild of
/// the same projector that is under way is given up.
pub async fn start(
    store: &dyn ReadStore,
    name: &ProjectorName,
) -> Result<GenerationId, StartError> {
    let record = record(store, name).await?;
    let (live, newest) = live_and_newest(&record)?;
    Ok(store
        .begin_generation(&live.description, &live.digest, Some(newest))
        .await?)
}

/// Begins to rebuild a projector up to what `scope` says: a rewind, or a part.
/// Another rewind or part that is under way is given up.
pub async fn start_scoped(
    store: &dyn ReadStore,
    name: &ProjectorName,
    scope: &Scope,
) -> Result<GenerationId, StartError> {
    let record = record(store, name).await?;
    check(&record, scope)?;
    let (live, newest) = live_and_newest(&record)?;
    Ok(store
        .begin_scoped(&live.description, &live.digest, Some(newest), scope)
        .await?)
}

/// Whether a projector can be rebuilt up to what `scope` says.
pub fn check(record: &ProjectorRecord, scope: &Scope) -> Result<(), StartError> {
    let (live, _) = live_and_newest(record)?;
    let name = record.name.to_string();
    let mut partitions = live.checkpoint.partitions();
    match scope {
        Scope::All => return Ok(()),
        _ if partitions.any(|(name, _)| !name.is_empty()) => {
            return Err(StartError::Partitions(name));
        }
        Scope::UpTo(position) if live.checkpoint.position() <= *position => {
            return Err(StartError::NotBehind {
                name,
                stands: live.checkpoint.clone(),
                position: *position,
            });
        }
        Scope::UpTo(_) => {}
        Scope::Part(part) => check_part(live, &name, part)?,
    }
    // To give that up for this would lose a version that was put in place.
    match record.building() {
        Some(building) if building.scope == Scope::All => Err(StartError::BeingRebuilt {
            name,
            version: building.description.version.to_string(),
        }),
        _ => Ok(()),
    }
}

fn check_part(live: &Generation, name: &str, part: &Part) -> Result<(), StartError> {
    for table in &live.description.tables {
        if let Some(by) = part.is_not_keyed_in(table) {
            return Err(StartError::NotKeyed {
                name: name.into(),
                table: table.name.clone(),
                by,
                part: part.clone(),
            });
        }
    }
    if live.description.order.is_some() {
        return Err(StartError::Ordered { name: name.into() });
    }
    let wants = &live.description.wants;
    let is_wanted = |patterns: &[Pattern], name: &Option<String>| {
        let matches = |name: &String| patterns.iter().any(|pattern| pattern.matches(name));
        patterns.is_empty() || name.as_ref().is_none_or(matches)
    };
    if !is_wanted(&wants.tenants, &part.tenant) || !is_wanted(&wants.streams, &part.stream) {
        return Err(StartError::NotWanted {
            name: name.into(),
            part: part.clone(),
        });
    }
    Ok(())
}

async fn record(
    store: &dyn ReadStore,
    name: &ProjectorName,
) -> Result<ProjectorRecord, StartError> {
    let records = store.projectors().await?;
    let record = records.into_iter().find(|record| record.name == *name);
    record.ok_or_else(|| StartError::NotLive(name.to_string()))
}

fn live_and_newest(record: &ProjectorRecord) -> Result<(&Generation, GenerationId), StartError> {
    let found = record
        .live()
        .and_then(|live| Some((live, record.newest()?.id)));
    found.ok_or_else(|| StartError::NotLive(record.name.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ColumnType, Digest, GenerationState, RawDescription, RawTable, Timestamp, WaitingCount,
        WantedState,
    };

    fn record(tenant_keyed: &[bool], wants: [Vec<String>; 3]) -> ProjectorRecord {
        let table = |(i, &tenant_keyed): (usize, &bool)| RawTable {
            name: format!("t{i}"),
            columns: vec![("id".into(), ColumnType::Text, false)],
            key: vec!["id".into()],
            tenant_keyed,
            ..RawTable::default()
        };
        let raw = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            wants,
            tables: tenant_keyed.iter().enumerate().map(table).collect(),
            ..RawDescription::default()
        };
        let description = raw.check().unwrap();
        ProjectorRecord {
            name: description.name.clone(),
            wanted: WantedState::Running,
            file: None,
            file_host: None,
            file_digest: None,
            generations: vec![Generation {
                waiting: WaitingCount::default(),
                id: GenerationId(1),
                digest: Digest::of(b""),
                description,
                state: GenerationState::Live,
                scope: Scope::All,
                took_over: None,
                checkpoint: Checkpoint::at(Position(9)),
                indexed: true,
                failure: None,
                dead_letters: 0,
                asked: 0,
                created_at: Timestamp(0),
                live_at: None,
            }],
        }
    }

    fn tenant(name: &str) -> Scope {
        Scope::Part(Part {
            tenant: Some(name.into()),
            stream: None,
        })
    }

    #[test]
    fn a_part_needs_all_tables_to_be_keyed_by_it() {
        let wants = Default::default;
        assert!(check(&record(&[true, true], wants()), &tenant("a")).is_ok());
        let refused = check(&record(&[true, false], wants()), &tenant("a"));
        assert!(
            matches!(&refused, Err(StartError::NotKeyed { table, by: "tenant", .. }) if table == "t1"),
            "{refused:?}"
        );
        let stream = Scope::Part(Part {
            tenant: None,
            stream: Some("s".into()),
        });
        let refused = check(&record(&[true], wants()), &stream);
        assert!(
            matches!(refused, Err(StartError::NotKeyed { by: "stream", .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn no_part_of_what_is_in_strict_order_is_rebuilt_alone() {
        let mut record = record(&[true], Default::default());
        let order = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            order: Some(("$.id".into(), "$.version".into())),
            tables: vec![RawTable {
                name: "t".into(),
                columns: vec![("id".into(), ColumnType::Text, false)],
                key: vec!["id".into()],
                ..RawTable::default()
            }],
            ..RawDescription::default()
        };
        record.generations[0].description.order = order.check().unwrap().order;
        let refused = check(&record, &tenant("a"));
        assert!(
            matches!(refused, Err(StartError::Ordered { .. })),
            "{refused:?}"
        );
        assert!(check(&record, &Scope::UpTo(Position(1))).is_ok());
    }

    #[test]
    fn a_part_that_the_projector_does_not_want_is_refused() {
        let record = record(&[true], [vec![], vec![], vec!["a*".into(), "b".into()]]);
        for wanted in ["a", "ab", "b"] {
            assert!(check(&record, &tenant(wanted)).is_ok(), "{wanted}");
        }
        let refused = check(&record, &tenant("c"));
        assert!(
            matches!(refused, Err(StartError::NotWanted { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn what_has_no_common_order_is_not_rewound() {
        let mut record = record(&[true], Default::default());
        let two = [("x".to_owned(), Position(8)), ("y".to_owned(), Position(9))];
        record.generations[0].checkpoint = Checkpoint::from_partitions(two);
        for scope in [Scope::UpTo(Position(1)), tenant("a")] {
            let refused = check(&record, &scope);
            assert!(
                matches!(refused, Err(StartError::Partitions(_))),
                "{refused:?}"
            );
        }
        assert!(check(&record, &Scope::All).is_ok());
    }
}

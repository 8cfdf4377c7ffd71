//! Opens the stores that the settings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::error::OperationError;
use crate::config::{Durability, EventTableSettings, Gaps, Preset, Settings};
use crate::model::PassedGap;
use crate::postgres::{Database, DatabaseOptions};
use crate::read_store::{self, PostgresReadStore, ReadStore, SqliteReadStore};
use crate::source::{
    self, EventStore, GapBook, GapRule, PostgresEventStore, SourceError, SqliteEventStore,
    TableMapping, TableSource,
};

/// The stores, and the databases they are in.
pub(super) struct Stores {
    pub(super) events: Arc<dyn EventStore>,
    pub(super) rows: Arc<dyn ReadStore>,
    pub(super) databases: Vec<Database>,
}

impl Stores {
    /// Opens them, and makes them where there are none.
    pub(super) async fn open(settings: &Settings) -> Result<Self, OperationError> {
        let databases = databases(settings)?;
        let rows = open_rows(settings, &databases).await?;
        let events = open_events(settings, &databases, rows.clone()).await?;
        Ok(Self {
            events,
            rows,
            databases: databases.into_values().collect(),
        })
    }
}

/// One pool for each database, however many stores are in it.
fn databases(settings: &Settings) -> Result<BTreeMap<String, Database>, OperationError> {
    let options = DatabaseOptions {
        connections: u32::try_from(settings.postgres_connections).unwrap_or(u32::MAX),
        ..DatabaseOptions::default()
    };
    let urls = [
        ("event_store.url", &settings.event_store.url),
        ("read_store.url", &settings.read_store.url),
    ];
    let mut databases = BTreeMap::new();
    for (key, url) in urls {
        if url.is_empty() || databases.contains_key(url) {
            continue;
        }
        let database = Database::new(url, &options).map_err(|source| OperationError::Url {
            key,
            reason: source.to_string(),
        })?;
        databases.insert(url.clone(), database);
    }
    Ok(databases)
}

async fn open_rows(
    settings: &Settings,
    databases: &BTreeMap<String, Database>,
) -> Result<Arc<dyn ReadStore>, OperationError> {
    let of_rows = &settings.read_store;
    let durability = match of_rows.durability {
        Durability::Full => read_store::Durability::Full,
        Durability::Normal => read_store::Durability::Normal,
    };
    Ok(match databases.get(&of_rows.url) {
        Some(database) => {
            let options = read_store::PostgresOptions {
                schema: of_rows.schema.clone(),
                durability,
                lock_wait: of_rows.lock_wait,
                lease: of_rows.lease,
            };
            Arc::new(PostgresReadStore::open(database.clone(), options).await?)
        }
        None => {
            let options = read_store::SqliteOptions {
                durability,
                ..Default::default()
            };
            Arc::new(SqliteReadStore::open(&of_rows.path, options).await?)
        }
    })
}

async fn open_events(
    settings: &Settings,
    databases: &BTreeMap<String, Database>,
    rows: Arc<dyn ReadStore>,
) -> Result<Arc<dyn EventStore>, OperationError> {
    let of_events = &settings.event_store;
    let durability = match of_events.durability {
        Durability::Full => source::Durability::Full,
        Durability::Normal => source::Durability::Normal,
    };
    let Some(database) = databases.get(&of_events.url) else {
        let options = source::SqliteOptions {
            durability,
            ..Default::default()
        };
        return Ok(Arc::new(
            SqliteEventStore::open(&of_events.path, options).await?,
        ));
    };
    let book = Arc::new(Book(rows));
    if of_events.table.preset != Preset::Lantern {
        let mapping = mapping(&of_events.table)?;
        return Ok(Arc::new(
            TableSource::open(database.clone(), mapping, book).await?,
        ));
    }
    let options = source::PostgresOptions {
        schema: of_events.schema.clone(),
        durability,
        gaps_ignored: of_events.table.gaps == Gaps::Ignore,
        ..Default::default()
    };
    Ok(Arc::new(
        PostgresEventStore::open(database.clone(), options, book).await?,
    ))
}

/// A preset, with what the settings say differently.
fn mapping(settings: &EventTableSettings) -> Result<TableMapping, SourceError> {
    let mut mapping = match settings.preset {
        Preset::Custom | Preset::Lantern => TableMapping::custom(),
        preset => TableMapping::preset(preset.as_str())
            .ok_or_else(|| SourceError::Unfit(format!("no preset `{}`", preset.as_str())))?,
    };
    let said = [
        (&settings.table, &mut mapping.table),
        (&settings.position, &mut mapping.position),
        (&settings.stream, &mut mapping.stream),
        (&settings.version, &mut mapping.version),
        (&settings.event_type, &mut mapping.event_type),
        (&settings.id, &mut mapping.id),
        (&settings.tenant, &mut mapping.tenant),
        (&settings.time, &mut mapping.time),
        (&settings.data, &mut mapping.data),
        (&settings.metadata, &mut mapping.metadata),
        (&settings.filter, &mut mapping.filter),
        (&settings.sequence, &mut mapping.sequence),
        (&settings.channel, &mut mapping.channel),
    ];
    for (said, place) in said {
        if !said.is_empty() {
            *place = Some(said.clone());
        }
    }
    if let Some(first) = settings.first_version {
        mapping.first_version = first;
    }
    if let Some(grace) = settings.gap_grace() {
        mapping.grace = grace;
    }
    if settings.gaps == Gaps::Ignore {
        mapping.gaps = GapRule::Ignore;
    }
    Ok(mapping)
}

/// The read store keeps the record of the gaps that the event log's reader passed.
struct Book(Arc<dyn ReadStore>);

#[async_trait]
impl GapBook for Book {
    async fn write_down(
        &self,
        gap: &PassedGap,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.note_gap(gap).await?)
    }
}

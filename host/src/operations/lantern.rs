//! What every verb needs.

use std::sync::Arc;

use super::error::OperationError;
use crate::catalog::Catalog;
use crate::config::{Durability, Settings};
use crate::host::Parts;
use crate::model::{ProjectorName, ProjectorRecord};
use crate::read_store::{ReadStore, SqliteReadStore};
use crate::sandbox::Sandbox;
use crate::source::{EventStore, SqliteEventStore};

/// Settings and open stores.
#[derive(Clone)]
pub struct Lantern {
    pub(super) settings: Settings,
    pub(super) events: Arc<SqliteEventStore>,
    pub(super) store: Arc<dyn ReadStore>,
}

impl Lantern {
    /// Opens the stores, and makes them where there are none.
    ///
    /// # Errors
    ///
    /// When a store cannot be opened or was written by a newer Lantern.
    pub async fn open(settings: Settings) -> Result<Self, OperationError> {
        let of_events = crate::source::SqliteOptions {
            durability: match settings.event_store.durability {
                Durability::Full => crate::source::Durability::Full,
                Durability::Normal => crate::source::Durability::Normal,
            },
            ..Default::default()
        };
        let of_rows = crate::read_store::SqliteOptions {
            durability: match settings.read_store.durability {
                Durability::Full => crate::read_store::Durability::Full,
                Durability::Normal => crate::read_store::Durability::Normal,
            },
            ..Default::default()
        };
        let events = SqliteEventStore::open(&settings.event_store.path, of_events).await?;
        let store = SqliteReadStore::open(&settings.read_store.path, of_rows).await?;
        Ok(Self {
            settings,
            events: Arc::new(events),
            store: Arc::new(store),
        })
    }

    /// Opens the stores that are there already.
    ///
    /// # Errors
    ///
    /// [`OperationError::NoData`] when there are none: a question asked in the
    /// wrong folder must not leave new stores behind.
    pub async fn open_existing(settings: Settings) -> Result<Self, OperationError> {
        if !settings.read_store.path.exists() && !settings.event_store.path.exists() {
            return Err(OperationError::NoData {
                dir: settings.data_dir,
            });
        }
        Self::open(settings).await
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The event store, for a program that appends by itself.
    pub fn event_store(&self) -> Arc<dyn EventStore> {
        self.events.clone()
    }

    /// The read store.
    pub fn read_store(&self) -> Arc<dyn ReadStore> {
        self.store.clone()
    }

    /// What a host works with.
    pub(super) fn parts(&self) -> Result<Parts, OperationError> {
        let data = &self.settings.data_dir;
        let sandbox = Sandbox::new(Some(&data.join("compiled")))?;
        let components = data.join("components");
        let catalog = Catalog::open(
            self.store.clone(),
            sandbox,
            self.settings.limits.clone(),
            &components,
        )
        .map_err(|source| OperationError::Folder {
            path: components,
            source,
        })?;
        Ok(Parts {
            source: self.events.clone(),
            store: self.store.clone(),
            catalog,
            pacing: self.settings.pacing.clone(),
        })
    }

    /// The record of a projector.
    pub(super) async fn record(
        &self,
        name: &str,
    ) -> Result<(ProjectorName, ProjectorRecord), OperationError> {
        let records = self.store.projectors().await?;
        let known: Vec<String> = records
            .iter()
            .map(|record| record.name.to_string())
            .collect();
        records
            .into_iter()
            .find(|record| record.name.as_str() == name)
            .map(|record| (record.name.clone(), record))
            .ok_or_else(|| OperationError::NoProjector {
                name: name.to_owned(),
                known,
            })
    }
}

impl std::fmt::Debug for Lantern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lantern")
            .field("data_dir", &self.settings.data_dir)
            .finish_non_exhaustive()
    }
}

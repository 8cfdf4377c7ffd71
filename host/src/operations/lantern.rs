//! What every verb needs.

use std::sync::Arc;

use super::error::OperationError;
use super::inline::Inline;
use super::stores::Stores;
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::host::{Connections, HostLock, Parts};
use crate::model::{ProjectorName, ProjectorRecord};
use crate::postgres::Database;
use crate::read_store::ReadStore;
use crate::sandbox::Sandbox;
use crate::source::EventStore;
use crate::telemetry::happened;

/// Settings and open stores.
#[derive(Clone)]
pub struct Lantern {
    pub(super) settings: Settings,
    pub(super) events: Arc<dyn EventStore>,
    pub(super) store: Arc<dyn ReadStore>,
    databases: Vec<Database>,
}

impl Lantern {
    /// Opens the stores, and makes them where there are none.
    ///
    /// # Errors
    ///
    /// When a store cannot be opened or was written by a newer Lantern.
    pub async fn open(settings: Settings) -> Result<Self, OperationError> {
        let stores = Stores::open(&settings).await?;
        let inline = Inline::new(settings.clone(), stores.rows.clone());
        stores.events.run_inline_by(Arc::new(inline));
        Ok(Self {
            settings,
            events: stores.events,
            store: stores.rows,
            databases: stores.databases,
        })
    }

    /// Opens the stores; waits, loudly, for a database that cannot be reached.
    ///
    /// # Errors
    ///
    /// As [`Lantern::open`], save for what may pass by itself.
    pub async fn open_patiently(settings: Settings) -> Result<Self, OperationError> {
        let mut pause = settings.projectors.pacing.retry_first;
        loop {
            match Self::open(settings.clone()).await {
                Err(error) if error.may_pass() && settings.uses_a_server() => {
                    happened::retrying("opening the stores", &error, pause);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(settings.projectors.pacing.retry_most);
                }
                opened => return opened,
            }
        }
    }

    /// Opens the stores that are there already.
    ///
    /// # Errors
    ///
    /// [`OperationError::NoData`] when there are none: a question asked in the
    /// wrong folder must not leave new stores behind.
    pub async fn open_existing(settings: Settings) -> Result<Self, OperationError> {
        let is_there = settings.uses_a_server()
            || settings.read_store.path.exists()
            || settings.event_store.path.exists();
        if !is_there {
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

    /// What a host works with, which has taken the lock.
    pub(super) fn parts(&self, lock: &HostLock) -> Result<Parts, OperationError> {
        let data = &self.settings.data_dir;
        let sandbox = Sandbox::new(Some(&data.join("compiled")))?;
        let components = data.join("components");
        let catalog = Catalog::open(
            self.store.clone(),
            sandbox,
            self.settings.limits.clone(),
            &components,
            lock.host(),
        )
        .map_err(|source| OperationError::Folder {
            path: components,
            source,
        })?;
        Ok(Parts {
            events: self.events.clone(),
            store: self.store.clone(),
            catalog,
            settings: self.settings.clone(),
            host: lock.host().to_owned(),
            connections: self.connections(),
        })
    }

    fn connections(&self) -> Connections {
        let databases = self.databases.clone();
        Arc::new(move || databases.iter().map(Database::usage).collect())
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

//! Takes candidates in: keep a copy, load, decide, record.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::components::Components;
use super::decide::{Decision, decide};
use crate::config::Limits;
use crate::model::{
    Description, Digest, GenerationId, ProjectorName, ProjectorRecord, WantedState,
};
use crate::read_store::{ReadStore, StoreError};
use crate::sandbox::{LoadError, LoadedProjector, Sandbox};

/// The catalog of projectors and components.
pub struct Catalog {
    store: Arc<dyn ReadStore>,
    sandbox: Sandbox,
    limits: Limits,
    components: Arc<Components>,
    /// This host, as records name it.
    host: String,
    loaded: Mutex<HashMap<Digest, Arc<LoadedProjector>>>,
}

/// A file that may hold a projector.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name in the watched folder.
    pub file: String,
    /// What is in it.
    pub bytes: Arc<Vec<u8>>,
}

/// A candidate that was accepted, and what follows.
#[derive(Debug)]
pub struct Accepted {
    /// The projector it holds.
    pub projector: Arc<LoadedProjector>,
    /// What was decided and recorded.
    pub decision: Decision,
    /// The generation that was begun for it, if one was.
    pub generation: Option<GenerationId>,
}

/// Why a candidate was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be a projector here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It could be, but not beside what there is.
    #[error("{0}")]
    Conflict(String),
    /// The read store could not record it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host's own copy could not be written or read.
    #[error("the host's copy of component {digest} cannot be used")]
    Copy {
        /// The component.
        digest: Digest,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Catalog {
    /// Opens the catalog of a host; components are kept in `dir`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used.
    pub fn open(
        store: Arc<dyn ReadStore>,
        sandbox: Sandbox,
        limits: Limits,
        dir: &Path,
        host: &str,
    ) -> std::io::Result<Self> {
        Ok(Self {
            store,
            sandbox,
            limits,
            components: Arc::new(Components::open(dir)?),
            host: host.to_owned(),
            loaded: Mutex::default(),
        })
    }

    /// Considers a candidate and records what follows from it. `present` are the
    /// names of the files now in the folder.
    ///
    /// # Errors
    ///
    /// Says why the candidate is not taken; whatever ran before still runs.
    pub async fn consider(
        &self,
        candidate: &Candidate,
        present: &HashSet<String>,
    ) -> Result<Accepted, Refusal> {
        let projector = self
            .load(Digest::of(&candidate.bytes), candidate.bytes.clone())
            .await?;
        loop {
            match self.put_to_use(&projector, candidate, present).await {
                // Another host was quicker: what it did may be all there is to do.
                Err(Refusal::Store(StoreError::Overtaken(_))) => {}
                done => return done,
            }
        }
    }

    async fn put_to_use(
        &self,
        projector: &Arc<LoadedProjector>,
        candidate: &Candidate,
        present: &HashSet<String>,
    ) -> Result<Accepted, Refusal> {
        let (about, digest) = (projector.description(), projector.digest());
        let record = self.record_of(&about.name).await?;
        let other = record
            .as_ref()
            .filter(|record| self.is_mine(record))
            .and_then(|record| record.file.as_deref())
            .filter(|file| *file != candidate.file && present.contains(*file));
        let decision = decide(record.as_ref(), about, digest, other);
        if let Some(reason) = record.as_ref().and_then(|record| self.older(record, about)) {
            return Err(Refusal::Conflict(reason));
        }
        match &decision {
            Decision::Refuse(reason) => return Err(Refusal::Conflict(reason.clone())),
            // Also for a component that is known: the copy may be lost.
            _ => self.keep(digest, candidate.bytes.clone()).await?,
        }
        let begun = self
            .carry_out(&decision, projector, record.as_ref())
            .await?;
        let is_lower = decision == Decision::Nothing && other.is_some();
        if !is_lower {
            self.store
                .set_file(&about.name, Some(&candidate.file), Some(digest), &self.host)
                .await?;
        }
        if record.is_some_and(|record| record.wanted == WantedState::Detached) {
            self.store
                .set_wanted(&about.name, WantedState::Running)
                .await?;
        }
        Ok(Accepted {
            projector: projector.clone(),
            decision,
            generation: begun,
        })
    }

    /// Records what was decided. Returns the generation that was begun, if any.
    async fn carry_out(
        &self,
        decision: &Decision,
        projector: &LoadedProjector,
        record: Option<&ProjectorRecord>,
    ) -> Result<Option<GenerationId>, Refusal> {
        let (about, digest) = (projector.description(), projector.digest());
        match decision {
            Decision::Install | Decision::Rebuild => {
                let newest = record
                    .and_then(ProjectorRecord::newest)
                    .map(|newest| newest.id);
                let begun = self.store.begin_generation(about, digest, newest).await;
                return begun.map(Some).map_err(taken);
            }
            Decision::HotReload(generation) => {
                // A generation being built for another version is given up: the
                // author has gone back to this one.
                self.give_up_others(record, *generation).await?;
                self.store.adopt(*generation, about, digest).await?;
            }
            Decision::KeepLive(building) => self.store.abandon(*building).await?,
            Decision::Nothing | Decision::Refuse(_) => {}
        }
        Ok(None)
    }

    /// Why a component is left alone although it differs: another host has
    /// brought a newer version. Several hosts that are brought up to date one
    /// after the other would otherwise take the newer version back with each
    /// restart of one that is still old.
    fn older(&self, record: &ProjectorRecord, candidate: &Description) -> Option<String> {
        let newest = &record.newest()?.description.version;
        let by = record
            .file_host
            .as_deref()
            .filter(|_| !self.is_mine(record))?;
        (self.store.is_shared() && candidate.version < *newest).then(|| {
            format!(
                "version {} is older than {newest}, which host {by} has brought; remove the file, \
                 or `lantern rollback {}` there first",
                candidate.version, record.name
            )
        })
    }

    /// Whether a projector comes from this host's folder, as far as is known.
    fn is_mine(&self, record: &ProjectorRecord) -> bool {
        record
            .file_host
            .as_ref()
            .is_none_or(|host| *host == self.host)
    }

    /// Records that a file has gone: its projector stops, its data stays.
    /// Returns the projector, if the file held one that is in use.
    pub async fn file_gone(&self, file: &str) -> Result<Option<ProjectorName>, StoreError> {
        let gone = self.detach(|other| other == file).await?;
        Ok(gone.into_iter().next().map(|(name, _)| name))
    }

    /// Records that all files but those `present` have gone. Returns the
    /// projectors and files concerned.
    pub async fn files_gone(
        &self,
        present: &HashSet<String>,
    ) -> Result<Vec<(ProjectorName, String)>, StoreError> {
        self.detach(|file| !present.contains(file)).await
    }

    async fn detach(
        &self,
        is_gone: impl Fn(&str) -> bool,
    ) -> Result<Vec<(ProjectorName, String)>, StoreError> {
        let mut gone = Vec::new();
        for record in self.store.projectors().await? {
            if !self.is_mine(&record) {
                continue;
            }
            let Some(file) = record.file.filter(|file| is_gone(file)) else {
                continue;
            };
            self.store
                .set_file(&record.name, None, record.file_digest.as_ref(), &self.host)
                .await?;
            if record.wanted == WantedState::Running {
                self.store
                    .set_wanted(&record.name, WantedState::Detached)
                    .await?;
            }
            gone.push((record.name, file));
        }
        Ok(gone)
    }

    /// The component with a digest, loaded if it is not yet.
    pub async fn component(&self, digest: &Digest) -> Result<Arc<LoadedProjector>, Refusal> {
        if let Some(loaded) = self.lock().get(digest) {
            return Ok(loaded.clone());
        }
        let (components, wanted) = (self.components.clone(), digest.clone());
        let source = match blocking(move || components.bring(&wanted)).await {
            Ok(bytes) => return self.load(digest.clone(), Arc::new(bytes)).await,
            Err(source) => source,
        };
        // Another host may have brought it.
        let stored = self.store.component(digest).await?;
        let Some(bytes) = stored.filter(|bytes| Digest::of(bytes) == *digest) else {
            return Err(Refusal::Copy {
                digest: digest.clone(),
                source,
            });
        };
        let bytes = Arc::new(bytes);
        self.keep_copy(digest, bytes.clone()).await?;
        self.load(digest.clone(), bytes).await
    }

    /// Lets go of components that no record refers to, in memory and on disk.
    pub async fn sweep(&self) -> Result<(), Refusal> {
        let records = self.store.projectors().await?;
        let generations = records.iter().flat_map(|record| &record.generations);
        let needed: HashSet<Digest> = generations
            .map(|generation| generation.digest.clone())
            .collect();
        self.lock().retain(|digest, _| needed.contains(digest));
        let components = self.components.clone();
        blocking(move || components.sweep(&needed))
            .await
            .map_err(|source| Refusal::Copy {
                digest: Digest("(any)".into()),
                source,
            })
    }

    async fn load(
        &self,
        digest: Digest,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Arc<LoadedProjector>, Refusal> {
        if let Some(loaded) = self.lock().get(&digest) {
            return Ok(loaded.clone());
        }
        let (sandbox, limits) = (self.sandbox.clone(), self.limits.clone());
        let loaded = blocking(move || sandbox.load(&bytes, &limits)).await?;
        let loaded = Arc::new(loaded);
        self.lock().insert(digest, loaded.clone());
        Ok(loaded)
    }

    async fn keep(&self, digest: &Digest, bytes: Arc<Vec<u8>>) -> Result<(), Refusal> {
        self.store.keep_component(digest, &bytes).await?;
        self.keep_copy(digest, bytes).await
    }

    async fn keep_copy(&self, digest: &Digest, bytes: Arc<Vec<u8>>) -> Result<(), Refusal> {
        let (components, wanted) = (self.components.clone(), digest.clone());
        blocking(move || components.keep(&wanted, &bytes))
            .await
            .map_err(|source| Refusal::Copy {
                digest: digest.clone(),
                source,
            })
    }

    async fn record_of(&self, name: &ProjectorName) -> Result<Option<ProjectorRecord>, StoreError> {
        let records = self.store.projectors().await?;
        Ok(records.into_iter().find(|record| record.name == *name))
    }

    async fn give_up_others(
        &self,
        record: Option<&ProjectorRecord>,
        generation: GenerationId,
    ) -> Result<(), StoreError> {
        match record.and_then(ProjectorRecord::building) {
            Some(building) if building.id != generation => self.store.abandon(building.id).await,
            _ => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Arc<LoadedProjector>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").finish_non_exhaustive()
    }
}

fn taken(error: StoreError) -> Refusal {
    match error {
        StoreError::TableTaken { .. } => Refusal::Conflict(error.to_string()),
        other => other.into(),
    }
}

/// Runs something that takes its time on a blocking thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // It is never aborted, so it can only have panicked: pass that on.
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
}

//! Rebuilds a projector, and waits for it.

use std::time::Duration;

use tokio::sync::watch;

use super::error::OperationError;
use super::lantern::Lantern;
use super::status::{ProjectorStatus, status};
use crate::host::{Host, HostLock, LockError, Until};
use crate::model::{
    Failure, Generation, GenerationId, GenerationState, Part, ProjectorName, Scope, WantedState,
};

/// How a rebuild ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildEnd {
    /// Readers see the new generation.
    Live,
    /// It cannot go on. Readers still see the former generation.
    Failed(Failure),
    /// It was given up: for another rebuild, a rollback, a drop.
    Replaced,
}

/// How often the records are looked at while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// Begins to rebuild a projector from the first event, with the component that
/// is live. A host, if one runs, does the work; else the next one does.
pub async fn rebuild(lantern: &Lantern, name: &str) -> Result<GenerationId, OperationError> {
    let name = running(lantern, name).await?;
    Ok(crate::rebuild::start(&*lantern.store, &name).await?)
}

/// Begins to rebuild one tenant's or stream's rows from the first event. The rows
/// of others, and the projector's work for them, go on as they are.
///
/// # Errors
///
/// When a table is not keyed by what is to be rebuilt, or the projector is being
/// rebuilt.
pub async fn rebuild_part(
    lantern: &Lantern,
    name: &str,
    part: &Part,
) -> Result<GenerationId, OperationError> {
    let name = running(lantern, name).await?;
    let scope = Scope::Part(part.clone());
    Ok(crate::rebuild::start_scoped(&*lantern.store, &name, &scope).await?)
}

async fn running(lantern: &Lantern, name: &str) -> Result<ProjectorName, OperationError> {
    let (name, record) = lantern.record(name).await?;
    match record.wanted {
        WantedState::Running => Ok(name),
        wanted => Err(OperationError::StandsStill {
            name: name.to_string(),
            wanted,
        }),
    }
}

/// Waits for a rebuild to end. When no host is running, does the work itself.
///
/// # Errors
///
/// When the stores cannot be read.
pub async fn wait_for_rebuild(
    lantern: &Lantern,
    name: &str,
    generation: GenerationId,
    progress: impl Fn(&ProjectorStatus),
) -> Result<RebuildEnd, OperationError> {
    let mut own_host = None;
    let end = loop {
        // It ends by itself when something is broken, and says what.
        if let Some(host) = own_host.take_if(|host: &mut OwnHost| host.task.is_finished()) {
            host.stop().await?;
        }
        if own_host.is_none() {
            own_host = OwnHost::start_if_none_runs(lantern, name)?;
        }
        let now = status(lantern).await?;
        if let Some(projector) = now.projectors.iter().find(|p| p.name.as_str() == name) {
            progress(projector);
        }
        if let Some(end) = end_of(lantern, generation).await? {
            break end;
        }
        tokio::time::sleep(LOOK).await;
    };
    if let Some(host) = own_host {
        host.stop().await?;
    }
    Ok(end)
}

async fn end_of(lantern: &Lantern, id: GenerationId) -> Result<Option<RebuildEnd>, OperationError> {
    let records = lantern.store.projectors().await?;
    let mut generations = records.iter().flat_map(|record| &record.generations);
    let took_over = |generation: &Generation| generation.took_over == Some(id);
    if generations.clone().any(took_over) {
        return Ok(Some(RebuildEnd::Live));
    }
    let Some(generation) = generations.find(|generation| generation.id == id) else {
        return Ok(Some(RebuildEnd::Replaced));
    };
    Ok(match (generation.state, &generation.failure) {
        (GenerationState::Building, Some(failure)) => Some(RebuildEnd::Failed(failure.clone())),
        (GenerationState::Building, None) => None,
        (GenerationState::Live, _) => Some(RebuildEnd::Live),
        (GenerationState::Retired, _) => Some(RebuildEnd::Replaced),
    })
}

/// A host for one projector inside this process.
struct OwnHost {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), OperationError>>,
}

impl OwnHost {
    fn start_if_none_runs(lantern: &Lantern, name: &str) -> Result<Option<Self>, OperationError> {
        let dir = &lantern.settings.data_dir;
        // Asked first, as taking it waits.
        if HostLock::is_held(dir) {
            return Ok(None);
        }
        let lock = match HostLock::take(dir) {
            Ok(lock) => lock,
            Err(LockError::Held { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Ok(name) = ProjectorName::new(name) else {
            return Ok(None);
        };
        let host = Host::for_one(lantern.parts(&lock)?, name);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let ran = host.run(Until::Stopped, stopped).await;
            drop(lock);
            ran.map(|_| ()).map_err(OperationError::from)
        });
        Ok(Some(Self { stop, task }))
    }

    async fn stop(self) -> Result<(), OperationError> {
        self.stop.send_replace(true);
        match self.task.await {
            Ok(ended) => ended,
            // Never aborted, so it can only have panicked: pass that on.
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        }
    }
}

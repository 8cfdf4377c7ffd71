//! Runs inline projectors, in whatever process appends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Handle;

use crate::catalog::{Catalog, Refusal};
use crate::config::Settings;
use crate::host::HostLock;
use crate::model::{ProjectorName, WantedState};
use crate::read_store::{InlineStanding, ReadStore};
use crate::sandbox::Sandbox;
use crate::source::{InlineWork, OpenAppend, SourceError};
use crate::worker::{InlineError, InlineWorker};

/// The inline projectors of this process. Their components are loaded when they
/// are first needed.
pub(super) struct Inline {
    settings: Settings,
    store: Arc<dyn ReadStore>,
    runtime: Handle,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    catalog: Option<Catalog>,
    workers: HashMap<ProjectorName, InlineWorker>,
}

impl Inline {
    /// To be made within a tokio runtime.
    pub(super) fn new(settings: Settings, store: Arc<dyn ReadStore>) -> Self {
        Self {
            settings,
            store,
            runtime: Handle::current(),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            self.inner.clear_poison();
            let mut inner = poisoned.into_inner();
            // The panic may have left one of them half-way.
            inner.workers.clear();
            inner
        })
    }

    fn follow(
        &self,
        inner: &mut Inner,
        append: &dyn OpenAppend,
        name: &ProjectorName,
    ) -> Result<(), InlineError> {
        let standing = self.store.inline_standing(&append.transaction(), name)?;
        let Some(standing) = standing else {
            return Err(InlineError::Unfit {
                projector: name.to_string(),
                reason: format!(
                    "there is no such projector in the read store: see whether this program and \
                     the host have the same settings; if that read store is gone, \
                     `lantern drop {name}` lets appends go on without it"
                ),
            });
        };
        // Paused, or rewound, by an operator whose host has yet to strike it off.
        if standing.wanted != WantedState::Running {
            return Ok(());
        }
        if standing.dead_letters > 0 {
            return Err(InlineError::Unfit {
                projector: name.to_string(),
                reason: format!(
                    "{} events of it are set aside, and what follows them has to wait: see to them \
                     with `lantern dead-letters list {name}`, or `lantern pause {name}` to append \
                     without it",
                    standing.dead_letters
                ),
            });
        }
        if !inner.workers.get(name).is_some_and(|w| w.knows(&standing)) {
            let worker = self.worker(inner, name, &standing)?;
            inner.workers.insert(name.clone(), worker);
        }
        let Some(worker) = inner.workers.get_mut(name) else {
            return Ok(());
        };
        worker.follow(append, &*self.store)
    }

    fn worker(
        &self,
        inner: &mut Inner,
        name: &ProjectorName,
        standing: &InlineStanding,
    ) -> Result<InlineWorker, InlineError> {
        let unfit = |reason| InlineError::Unfit {
            projector: name.to_string(),
            reason,
        };
        let catalog = match &mut inner.catalog {
            Some(catalog) => catalog,
            empty => empty.insert(self.catalog().map_err(|error| unfit(error.to_string()))?),
        };
        let component = self.runtime.block_on(catalog.component(&standing.digest));
        let component = component.map_err(|refusal: Refusal| {
            unfit(format!(
                "its component cannot be loaded here ({refusal}): append with the host's data \
                 directory, or `lantern pause {name}` to append without it"
            ))
        })?;
        if component.description().order.is_some() {
            let reason = "it asks for strict order, where an event may have to wait for another, \
                          and an append cannot: give it another `update.strategy`";
            return Err(unfit(reason.into()));
        }
        let pacing = self.settings.projector(name.as_str()).pacing.clone();
        Ok(InlineWorker::new(component, pacing, standing))
    }

    fn catalog(&self) -> Result<Catalog, Box<dyn std::error::Error>> {
        let data = &self.settings.data_dir;
        let components = data.join("components");
        let catalog = Catalog::open(
            self.store.clone(),
            Sandbox::new(Some(&data.join("compiled")))?,
            self.settings.limits.clone(),
            &components,
            &HostLock::name(data).unwrap_or_default(),
        )?;
        Ok(catalog)
    }
}

impl InlineWork for Inline {
    fn run(&self, append: &dyn OpenAppend, projectors: &[String]) -> Result<(), SourceError> {
        let mut inner = self.lock();
        for name in projectors {
            let name = ProjectorName::new(name).map_err(|e| SourceError::Inline(e.into()))?;
            self.follow(&mut inner, append, &name)
                .map_err(SourceError::from)?;
        }
        // Those that are struck off need no memory.
        inner
            .workers
            .retain(|name, _| projectors.iter().any(|p| p == name.as_str()));
        Ok(())
    }

    fn ended(&self, committed: bool) {
        if !committed {
            // What they know may never have been.
            self.lock().workers.clear();
        }
    }
}

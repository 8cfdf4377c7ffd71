//! A place to measure in: stores in a temporary directory, the component.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use lantern::config::{Durability, Limits, Pacing, Settings};
use lantern::model::GenerationId;
use lantern::operations::Lantern;
use lantern::read_store::Owner;
use lantern::sandbox::{LoadedProjector, Sandbox};
use lantern::worker::{Assignment, Goal};

/// Opened stores in a directory of their own.
pub(crate) struct Setting {
    pub(crate) lantern: Lantern,
}

impl Setting {
    /// Opens stores in `dir`; `events` may name a database that is shared.
    pub(crate) async fn open(
        dir: &Path,
        events: Option<&Path>,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let mut settings = Settings::in_dir(dir);
        settings.event_store.durability = durability;
        settings.read_store.durability = durability;
        if let Some(events) = events {
            settings.event_store.path = events.to_owned();
        }
        Self::with(settings).await
    }

    /// Opens both stores in one file in `dir`.
    pub(crate) async fn in_one_file(dir: &Path, durability: Durability) -> anyhow::Result<Self> {
        let mut settings = Settings::in_dir(dir);
        settings.event_store.durability = durability;
        settings.read_store.durability = durability;
        settings.read_store.path = settings.event_store.path.clone();
        Self::with(settings).await
    }

    /// Opens both stores in the PostgreSQL database at `url`, under their usual
    /// names; `dir` is for files.
    pub(crate) async fn on_server(dir: &Path, url: &str) -> anyhow::Result<Self> {
        let mut settings = Settings::in_dir(dir);
        settings.event_store.url = url.to_owned();
        settings.read_store.url = url.to_owned();
        settings.event_store.durability = Durability::Full;
        settings.read_store.durability = Durability::Full;
        Self::with(settings).await
    }

    async fn with(settings: Settings) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.data_dir)?;
        Ok(Self {
            lantern: Lantern::open(settings).await?,
        })
    }

    /// An assignment to fill a new generation of a component.
    pub(crate) async fn assignment(
        &self,
        projector: &Arc<LoadedProjector>,
        pacing: Pacing,
    ) -> anyhow::Result<Assignment> {
        let store = self.lantern.read_store();
        let records = store.projectors().await?;
        let name = &projector.description().name;
        let newest = records
            .iter()
            .find(|record| record.name == *name)
            .and_then(|record| Some(record.newest()?.id));
        let generation = store
            .begin_generation(projector.description(), projector.digest(), newest)
            .await?;
        Ok(self.assignment_for(projector, generation, pacing))
    }

    pub(crate) fn assignment_for(
        &self,
        projector: &Arc<LoadedProjector>,
        generation: GenerationId,
        pacing: Pacing,
    ) -> Assignment {
        Assignment {
            projector: projector.clone(),
            generation,
            goal: Goal::CatchUp,
            source: self.lantern.event_store(),
            store: self.lantern.read_store(),
            pacing,
            failing: lantern::config::FailurePolicy::default().while_live(),
            update: lantern::config::Update::Immediate,
            most_waiting: 0,
            owner: Owner {
                host: "bench".into(),
                instance: "bench".into(),
            },
        }
    }
}

/// The component `order_totals`, built by `make guests`.
pub(crate) fn component(name: &str) -> anyhow::Result<Vec<u8>> {
    let path = components_dir().join(format!("{name}.wasm"));
    std::fs::read(&path)
        .with_context(|| format!("{} is not there: run `make guests` first", path.display()))
}

fn components_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/components")
}

/// Loads a component.
pub(crate) fn load(name: &str) -> anyhow::Result<Arc<LoadedProjector>> {
    let sandbox = Sandbox::new(None)?;
    Ok(Arc::new(
        sandbox.load(&component(name)?, &Limits::default())?,
    ))
}

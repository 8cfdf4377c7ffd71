//! Lantern as one of the contestants.

use std::sync::Arc;

use anyhow::ensure;
use lantern::config::Pacing;
use lantern::rebuild::{self, RebuildEnd};
use lantern::sandbox::LoadedProjector;
use lantern::worker::{Assignment, End, StatusBoard, work};
use tokio::sync::watch;

use crate::setting::Setting;

/// What is measured of it.
#[derive(Clone, Copy)]
pub(crate) enum Phase {
    /// Fills the first generation.
    CatchUp,
    /// Fills a second one beside it, up to the swap.
    Rebuild,
}

impl Phase {
    /// Does what comes before the measurement.
    pub(crate) async fn prepare(
        self,
        setting: &Setting,
        projector: &Arc<LoadedProjector>,
        pacing: &Pacing,
    ) -> anyhow::Result<Assignment> {
        let first = setting.assignment(projector, pacing.clone()).await?;
        match self {
            Phase::CatchUp => Ok(first),
            Phase::Rebuild => {
                Phase::CatchUp.run(&first).await?;
                let store = setting.lantern.read_store();
                store.build_indexes(first.generation).await?;
                setting.assignment(projector, pacing.clone()).await
            }
        }
    }

    /// Does what is measured.
    pub(crate) async fn run(self, assignment: &Assignment) -> anyhow::Result<()> {
        let (_stop, stopped) = watch::channel(false);
        match self {
            Phase::CatchUp => {
                let end = work(
                    assignment,
                    &StatusBoard::new(lantern::config::Update::Immediate),
                    stopped,
                )
                .await;
                ensure!(end == End::CaughtUp, "the worker ended otherwise: {end:?}");
            }
            Phase::Rebuild => {
                let end = rebuild::run(
                    assignment,
                    &StatusBoard::new(lantern::config::Update::Immediate),
                    stopped,
                )
                .await;
                ensure!(
                    end == RebuildEnd::Live,
                    "the rebuild ended otherwise: {end:?}"
                );
            }
        }
        Ok(())
    }
}

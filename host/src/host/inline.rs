//! Projectors that run inline: handed over to those who append once they have
//! caught up with the log, and taken back when they shall not any more.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::{Host, HostError};
use crate::config::Update;
use crate::model::{GenerationId, GenerationState, ProjectorName, ProjectorRecord, WantedState};
use crate::source::SourceError;
use crate::telemetry::happened;
use crate::worker::Phase;

/// How long a projector goes on beside the appends after it could not be handed
/// over to them.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// What a host knows of projectors that run inline.
#[derive(Default)]
pub(super) struct Inline {
    /// Those that appends run.
    list: HashSet<ProjectorName>,
    /// Generations whose job was stopped for the hand-over.
    stopped: HashSet<GenerationId>,
    /// When to try again what has failed.
    try_at: HashMap<GenerationId, Instant>,
    /// Generations that can never run inline, of which it has been said.
    told: HashSet<GenerationId>,
}

impl Inline {
    pub(super) fn is_on_list(&self, name: &ProjectorName) -> bool {
        self.list.contains(name)
    }

    /// Whether a job was stopped for the hand-over; asked once.
    pub(super) fn is_handed_over(&mut self, id: GenerationId) -> bool {
        self.stopped.remove(&id)
    }
}

impl Host {
    /// Reads the list of those that run inline, and strikes off who should not be
    /// on it. False when the event store cannot be asked now.
    pub(super) async fn look_at_inline(&mut self) -> Result<bool, HostError> {
        let list = match self.parts.events.inline().await {
            Ok(list) => list,
            Err(error) if error.is_transient() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut kept = HashSet::new();
        for name in list {
            let record = self.records.iter().find(|r| r.name.as_str() == name);
            match record {
                // A host for one projector strikes off no other.
                Some(record) if self.only.is_some() || self.shall_be_inline(record) => {
                    kept.insert(record.name.clone());
                }
                _ => match self.parts.events.end_inline(&name).await {
                    Ok(()) => happened::taken_from_appends(&name),
                    Err(error) if error.is_transient() => return Ok(false),
                    Err(error) => return Err(error.into()),
                },
            }
        }
        self.inline.list = kept;
        Ok(true)
    }

    /// Stops the jobs that have caught up and whose projectors are to run inline.
    pub(super) fn stop_for_hand_over(&mut self) {
        if self.only.is_some() {
            return;
        }
        let now = Instant::now();
        for record in &self.records {
            let Some(live) = record.live().filter(|_| self.is_set_inline(record)) else {
                continue;
            };
            if !can_be_inline(record) {
                if self.inline.told.insert(live.id) {
                    happened::never_handed_to_appends(&record.name, live.id);
                }
                continue;
            }
            let Some(job) = self.jobs.get(&live.id) else {
                continue;
            };
            let try_at = self.inline.try_at.get(&live.id);
            if job.status().phase != Phase::Live || try_at.is_some_and(|at| now < *at) {
                continue;
            }
            if !self.can_be_handed_over(record) {
                // That nothing is set aside any more is not announced.
                self.inline.try_at.insert(live.id, now + TRY_AGAIN);
                self.revision = None;
            } else if self.inline.stopped.insert(live.id) {
                job.stop();
            }
        }
    }

    /// Hands a projector over to those who append.
    pub(super) async fn hand_over(&mut self, name: &ProjectorName, id: GenerationId) {
        match self.parts.events.begin_inline(name.as_str()).await {
            Ok(()) => {
                self.inline.try_at.remove(&id);
                happened::handed_to_appends(name, id);
            }
            Err(error) => {
                let cause: &dyn std::error::Error = match &error {
                    SourceError::Inline(cause) => &**cause,
                    error => error,
                };
                happened::not_handed_to_appends(name, id, cause);
                self.inline.try_at.insert(id, Instant::now() + TRY_AGAIN);
            }
        }
    }

    /// Whether nobody is left who is yet to be handed over.
    pub(super) fn all_handed_over(&self) -> bool {
        let mut waiting = self.records.iter().filter(|r| self.can_be_handed_over(r));
        self.only.is_some() || waiting.all(|record| self.inline.is_on_list(&record.name))
    }

    fn shall_be_inline(&self, record: &ProjectorRecord) -> bool {
        self.is_set_inline(record) && can_be_inline(record)
    }

    fn is_set_inline(&self, record: &ProjectorRecord) -> bool {
        let settings = self.parts.settings.projector(record.name.as_str());
        settings.update.update() == Update::Inline && record.wanted == WantedState::Running
    }

    /// One that failed, or has set events aside, stays with its host: appends would
    /// fail because of it.
    fn can_be_handed_over(&self, record: &ProjectorRecord) -> bool {
        let is_sound = record.live().is_some_and(|live| {
            live.state == GenerationState::Live && live.failure.is_none() && live.dead_letters == 0
        });
        is_sound && self.shall_be_inline(record)
    }
}

/// An event that has to wait for another cannot be waited for by an append.
fn can_be_inline(record: &ProjectorRecord) -> bool {
    record
        .live()
        .is_none_or(|live| live.description.order.is_none())
}

//! Projectors that run inline: handed over to those who append once they have
//! caught up with the log, and taken back when they shall not any more.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Host, HostError};
use crate::config::Update;
use crate::model::{GenerationId, GenerationState, ProjectorName, ProjectorRecord, WantedState};
use crate::source::SourceError;
use crate::telemetry::happened;
use crate::worker::Phase;

/// How long a projector goes on beside the appends after it could not be handed
/// over to them: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often the list is looked at, which operators and other hosts change.
const LOOK_AT_LIST: Duration = Duration::from_secs(1);

/// What a host knows of projectors that run inline.
#[derive(Default)]
pub(super) struct Inline {
    /// Those that appends run.
    list: HashSet<ProjectorName>,
    looked_at: Option<Instant>,
    /// Generations whose job was stopped for the hand-over.
    stopped: HashSet<GenerationId>,
    /// Those that are being handed over.
    pending: HashMap<GenerationId, HandOver>,
    /// When to try again what has failed, and the pause before that.
    try_at: HashMap<GenerationId, (Instant, Duration)>,
    /// Generations that can never run inline, of which it has been said.
    told: HashSet<GenerationId>,
}

/// The last steps to the end of the log, beside the host's loop: appends may have to
/// be waited for.
struct HandOver {
    name: ProjectorName,
    ends: JoinHandle<Result<(), SourceError>>,
}

impl Inline {
    /// Whether appends run it, or are about to: then no job does.
    pub(super) fn is_on_list(&self, name: &ProjectorName) -> bool {
        self.list.contains(name) || self.pending.values().any(|it| it.name == *name)
    }

    /// Whether a job was stopped for the hand-over; asked once, at its end.
    pub(super) fn is_handed_over(&mut self, id: GenerationId) -> bool {
        self.stopped.remove(&id)
    }

    fn try_again_later(&mut self, id: GenerationId) {
        let last = self
            .try_at
            .get(&id)
            .map_or(Duration::ZERO, |(_, pause)| *pause);
        let pause = (last * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.try_at.insert(id, (Instant::now() + pause, pause));
    }
}

impl Host {
    /// Reads the list of those that run inline, and strikes off who should not be
    /// on it. False when the event store cannot be asked now.
    pub(super) async fn look_at_inline(&mut self) -> Result<bool, HostError> {
        let Some(list) = self.inline_list().await? else {
            return Ok(false);
        };
        let mut kept = HashSet::new();
        for name in list {
            let record = self.records.iter().find(|r| r.name.as_str() == name);
            match record {
                // A host for one projector strikes off no other.
                Some(record) if self.only.is_some() || self.can_be_handed_over(record) => {
                    kept.insert(record.name.clone());
                }
                Some(_) => match self.parts.events.end_inline(&name).await {
                    Ok(()) => happened::taken_from_appends(&name),
                    Err(error) if error.is_transient() => return Ok(false),
                    Err(error) => return Err(error.into()),
                },
                // The events may have other read models, and hosts for those.
                None => {}
            }
        }
        self.inline.list = kept;
        Ok(true)
    }

    /// Looks now and then whether somebody else has changed the list. The records do
    /// not tell: they are in another room.
    pub(super) async fn watch_list(&mut self) -> Result<(), HostError> {
        let is_due = |at: Instant| at.elapsed() >= LOOK_AT_LIST;
        if !self.inline.looked_at.is_none_or(is_due) {
            return Ok(());
        }
        if let Some(list) = self.inline_list().await? {
            let ours = |r: &&ProjectorRecord| list.iter().any(|name| r.name.as_str() == name);
            let now: HashSet<_> = self.records.iter().filter(ours).map(|r| &r.name).collect();
            if now != self.inline.list.iter().collect() {
                self.revision = None;
            }
        }
        Ok(())
    }

    async fn inline_list(&mut self) -> Result<Option<Vec<String>>, HostError> {
        self.inline.looked_at = Some(Instant::now());
        match self.parts.events.inline().await {
            Ok(list) => Ok(Some(list)),
            Err(error) if error.is_transient() => Ok(None),
            Err(error) => Err(error.into()),
        }
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
            if job.status().phase != Phase::Live || try_at.is_some_and(|(at, _)| now < *at) {
                continue;
            }
            if !self.can_be_handed_over(record) {
                // That nothing is set aside any more is not announced.
                let at = now + FIRST_PAUSE;
                self.inline.try_at.insert(live.id, (at, Duration::ZERO));
                self.revision = None;
            } else if self.inline.stopped.insert(live.id) {
                job.stop();
            }
        }
    }

    /// Begins to hand a projector over to those who append.
    pub(super) fn hand_over(&mut self, name: &ProjectorName, id: GenerationId) {
        let (events, name) = (self.parts.events.clone(), name.clone());
        let projector = name.to_string();
        let ends = tokio::spawn(async move { events.begin_inline(&projector).await });
        self.inline.pending.insert(id, HandOver { name, ends });
    }

    /// Notes which projectors have been handed over; waits for them when `all` are
    /// to be.
    pub(super) async fn note_handed_over(&mut self, all: bool) {
        let is_over = |_: &GenerationId, it: &mut HandOver| all || it.ends.is_finished();
        let over: Vec<_> = self.inline.pending.extract_if(is_over).collect();
        for (id, HandOver { name, ends }) in over {
            self.revision = None;
            let ended = ends.await;
            match ended.unwrap_or_else(|died| Err(SourceError::Broken(died.into()))) {
                Ok(()) => {
                    self.inline.try_at.remove(&id);
                    happened::handed_to_appends(&name, id);
                }
                Err(error) => {
                    let cause: &dyn std::error::Error = match &error {
                        SourceError::Inline(cause) => &**cause,
                        error => error,
                    };
                    happened::not_handed_to_appends(&name, id, cause);
                    self.inline.try_again_later(id);
                }
            }
        }
    }

    /// Whether nobody is left who is yet to be handed over.
    pub(super) fn all_handed_over(&self) -> bool {
        let mut waiting = self.records.iter().filter(|r| self.can_be_handed_over(r));
        self.only.is_some() || waiting.all(|record| self.inline.list.contains(&record.name))
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

//! Waits until a read model holds a position: reading one's own writes.

use std::time::Duration;

use serde::Serialize;

use super::error::OperationError;
use super::lantern::Lantern;
use super::status::status;
use crate::model::{
    Checkpoint, Failure, GenerationId, ProjectorName, ProjectorRecord, Timestamp, WaitingCount,
    WantedState,
};
use crate::read_store::StoreError;

/// The first pause between two looks. A live projector commits within
/// milliseconds of an append.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// The longest pause between two looks, and so the most that a wait ends late. A
/// look is two rows found by their keys.
const MOST_PAUSE: Duration = Duration::from_millis(10);

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waited {
    /// The projector.
    pub projector: ProjectorName,
    /// What was waited for.
    pub target: Checkpoint,
    /// How far its read models went at the end.
    pub checkpoint: Checkpoint,
    /// How many positions were missing at the end.
    pub missing: u64,
    /// Events that the checkpoint has gone past, but that strict order has wait: the
    /// read models do not hold them.
    pub waiting: WaitingCount,
    /// Why the wait was over.
    #[serde(flatten)]
    pub end: WaitEnd,
}

/// Why a wait was over.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum WaitEnd {
    /// The read models hold what was waited for.
    Reached,
    /// The time was up.
    NotYet(Pending),
    /// The projector stands still, and will until somebody does something.
    StandsStill(Standstill),
}

/// How things stood when the time was up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// What the projector was at, in the words of its status.
    pub state: String,
    /// What was wrong but being tried again.
    pub trouble: Option<String>,
    /// When it works next, if it does not work at once.
    pub next_run_at: Option<Timestamp>,
    /// The end of the log.
    pub head: Checkpoint,
}

/// Why a projector stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Standstill {
    /// An operator paused it.
    Paused,
    /// Its file is gone from the watched folder.
    Detached,
    /// It failed.
    Failed(Failure),
}

/// Waits until the read models that readers see hold `target`: a position that
/// an append returned, or the checkpoint of [`head`](super::head). Returns early
/// when the projector stands still. With a `timeout` of nothing, looks once.
///
/// A database that cannot be used for a moment is waited for as well.
///
/// # Errors
///
/// When there is no such projector, or none any more; when the records cannot
/// be read, also not at the end of the time.
pub async fn wait_for(
    lantern: &Lantern,
    projector: &str,
    target: impl Into<Checkpoint>,
    timeout: Duration,
) -> Result<Waited, OperationError> {
    let mut wait = Wait::begin(lantern, projector, target.into()).await?;
    let in_time = tokio::time::timeout(timeout, wait.until_over()).await;
    if let Ok(ended) = in_time {
        ended?;
    }
    wait.conclude().await
}

/// A wait under way, and what the last look has shown.
struct Wait<'a> {
    lantern: &'a Lantern,
    target: Checkpoint,
    revision: u64,
    name: ProjectorName,
    live: Option<GenerationId>,
    checkpoint: Checkpoint,
    /// Whether events may wait in strict order.
    is_ordered: bool,
    standstill: Option<Standstill>,
    /// Why the last look has shown nothing.
    trouble: Option<StoreError>,
}

impl<'a> Wait<'a> {
    /// Looks for the first time.
    async fn begin(
        lantern: &'a Lantern,
        projector: &str,
        target: Checkpoint,
    ) -> Result<Self, OperationError> {
        // Read before the records: a change that comes between is seen next time.
        let revision = lantern.store.revision().await?;
        let (name, record) = lantern.record(projector).await?;
        let mut wait = Self {
            lantern,
            target,
            revision,
            name,
            live: None,
            checkpoint: Checkpoint::start(),
            is_ordered: false,
            standstill: None,
            trouble: None,
        };
        wait.learn(&record);
        Ok(wait)
    }

    async fn until_over(&mut self) -> Result<(), OperationError> {
        let mut pause = FIRST_PAUSE;
        while !self.is_over() {
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(1.5).min(MOST_PAUSE);
            match self.look().await {
                Ok(()) => self.trouble = None,
                Err(OperationError::Store(error)) if error.is_transient() => {
                    self.trouble = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_reached() || self.standstill.is_some()
    }

    fn is_reached(&self) -> bool {
        self.checkpoint.reaches(&self.target)
    }

    /// Looks at the checkpoint alone, and at the records only if they changed.
    async fn look(&mut self) -> Result<(), OperationError> {
        let store = &self.lantern.store;
        let revision = store.revision().await?;
        if let Some(live) = self.live.filter(|_| revision == self.revision)
            && let Some(checkpoint) = store.checkpoint(live).await?
        {
            self.checkpoint = checkpoint;
            return Ok(());
        }
        let (_, record) = self.lantern.record(self.name.as_str()).await?;
        self.revision = revision;
        self.learn(&record);
        Ok(())
    }

    fn learn(&mut self, record: &ProjectorRecord) {
        self.live = record.live().map(|live| live.id);
        self.checkpoint = record
            .live()
            .map_or_else(Checkpoint::start, |live| live.checkpoint.clone());
        let live = record.live();
        self.is_ordered = live.is_some_and(|live| live.description.order.is_some());
        self.standstill = standstill(record);
    }

    async fn conclude(self) -> Result<Waited, OperationError> {
        if let Some(trouble) = self.trouble {
            return Err(trouble.into());
        }
        let is_reached = self.is_reached();
        let mut waiting = None;
        if self.is_ordered {
            let (_, record) = self.lantern.record(self.name.as_str()).await?;
            waiting = record.live().map(|live| live.waiting);
        }
        let end = match self.standstill {
            _ if is_reached => WaitEnd::Reached,
            Some(standstill) => WaitEnd::StandsStill(standstill),
            None => WaitEnd::NotYet(pending(self.lantern, &self.name).await?),
        };
        Ok(Waited {
            missing: self.checkpoint.lag_to(&self.target),
            waiting: waiting.unwrap_or_default(),
            projector: self.name,
            target: self.target,
            checkpoint: self.checkpoint,
            end,
        })
    }
}

/// Why nothing will come, if nothing will. A failed projector whose next
/// generation is being built may yet come by its swap.
fn standstill(record: &ProjectorRecord) -> Option<Standstill> {
    match record.wanted {
        WantedState::Paused => Some(Standstill::Paused),
        WantedState::Detached => Some(Standstill::Detached),
        WantedState::Running => {
            let failure = record.live()?.failure.clone()?;
            let building = record.building();
            let is_replaced = building.is_some_and(|building| building.failure.is_none());
            (!is_replaced).then_some(Standstill::Failed(failure))
        }
    }
}

async fn pending(lantern: &Lantern, name: &ProjectorName) -> Result<Pending, OperationError> {
    let status = status(lantern).await?;
    let projector = status.projectors.into_iter().find(|p| p.name == *name);
    let projector = projector.ok_or_else(|| OperationError::NoProjector {
        name: name.to_string(),
        known: Vec::new(),
    })?;
    Ok(Pending {
        state: projector.state,
        trouble: projector.trouble,
        next_run_at: projector.next_run_at,
        head: status.head,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ColumnType, Digest, FailureClass, Generation, GenerationState, RawDescription, RawTable,
    };

    #[test]
    fn a_failed_projector_may_yet_come_by_a_swap() {
        let live = generation(1, GenerationState::Live, true);
        let stuck = record(vec![live.clone()]);
        assert!(matches!(standstill(&stuck), Some(Standstill::Failed(_))));
        let building = |failed| generation(2, GenerationState::Building, failed);
        let mended = record(vec![live.clone(), building(false)]);
        assert_eq!(standstill(&mended), None);
        let worse = record(vec![live, building(true)]);
        assert!(matches!(standstill(&worse), Some(Standstill::Failed(_))));
        let paused = ProjectorRecord {
            wanted: WantedState::Paused,
            ..mended
        };
        assert_eq!(standstill(&paused), Some(Standstill::Paused));
    }

    fn record(generations: Vec<Generation>) -> ProjectorRecord {
        ProjectorRecord {
            name: ProjectorName::new("orders").unwrap(),
            wanted: WantedState::Running,
            file: None,
            file_host: None,
            file_digest: None,
            generations,
        }
    }

    fn generation(id: i64, state: GenerationState, failed: bool) -> Generation {
        let table = RawTable {
            name: "orders".into(),
            columns: vec![("id".into(), ColumnType::Integer, false)],
            key: vec!["id".into()],
            ..RawTable::default()
        };
        let description = RawDescription {
            name: "orders".into(),
            version: "1.0.0".into(),
            tables: vec![table],
            ..RawDescription::default()
        };
        let failure = crate::worker::without_event(
            FailureClass::Projector,
            "it trapped".into(),
            &Digest::of(b""),
        );
        Generation {
            id: GenerationId(id),
            digest: Digest::of(b""),
            description: description.check().unwrap(),
            state,
            scope: crate::model::Scope::All,
            took_over: None,
            checkpoint: Checkpoint::start(),
            indexed: true,
            failure: failed.then_some(failure),
            dead_letters: 0,
            waiting: WaitingCount::default(),
            asked: 0,
            created_at: Timestamp(0),
            live_at: None,
        }
    }
}

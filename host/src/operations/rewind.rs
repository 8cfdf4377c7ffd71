//! Takes a projector back to where its read models once stood.

use super::error::OperationError;
use super::lantern::Lantern;
use super::reading::read_all;
use crate::model::{
    Checkpoint, Envelope, EventFilter, GenerationId, Position, ProjectorRecord, Scope, Timestamp,
    WantedState,
};
use crate::rebuild;
use crate::source::{Narrow, narrow};

/// Where a rewind goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewindTo {
    /// To just after the event at this position; 0 is before the first.
    Position(Position),
    /// To just after the last event, in the order of the log, that happened at or
    /// before this time. Times need not ascend with positions: an event before
    /// it that happened later is in the rows all the same, as the log had it first.
    Time(Timestamp),
}

/// Begins to build a projector's rows as of a former position. When they are
/// there, readers see them and the projector stands there, paused; the rows it
/// had are kept for a rollback.
///
/// # Errors
///
/// When the projector does not stand behind that position, or is being rebuilt.
pub async fn rewind(
    lantern: &Lantern,
    name: &str,
    to: RewindTo,
) -> Result<(GenerationId, Position), OperationError> {
    let (name, record) = lantern.record(name).await?;
    if record.wanted == WantedState::Detached {
        return Err(OperationError::StandsStill {
            name: name.to_string(),
            wanted: record.wanted,
        });
    }
    let position = position_of(lantern, &record, to).await?;
    let scope = Scope::UpTo(position);
    let generation = rebuild::start_scoped(&*lantern.store, &name, &scope).await?;
    Ok((generation, position))
}

/// The position that a rewind goes to. Only what the live generation has read is
/// looked at: a rewind goes back.
pub(super) async fn position_of(
    lantern: &Lantern,
    record: &ProjectorRecord,
    to: RewindTo,
) -> Result<Position, OperationError> {
    let time = match to {
        RewindTo::Position(position) => return Ok(position),
        RewindTo::Time(time) => time,
    };
    let read = record.live().map(|live| live.checkpoint.position());
    let narrowed = Narrow {
        until: Some(read.unwrap_or_default()),
        part: None,
    };
    let source = narrow(lantern.events.clone(), narrowed);
    let reader = source.reader(&EventFilter::default(), Envelope::default())?;
    let mut found = None;
    let found = read_all(reader, Checkpoint::start(), move |events| {
        let last = (0..events.len()).rfind(|&i| events.time(i) <= time);
        found = last.map(|i| events.position(i)).or(found);
        found
    });
    found.await?.ok_or(OperationError::NothingBefore { time })
}

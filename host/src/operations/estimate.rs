//! What a rebuild or a rewind would cost. Changes nothing.

use serde::Serialize;

use super::error::OperationError;
use super::lantern::Lantern;
use super::reading::read_all;
use super::rewind::{RewindTo, position_of};
use crate::model::{
    Checkpoint, Envelope, Fill, Generation, Part, Position, ProjectorName, ProjectorRecord, Scope,
};
use crate::rebuild;
use crate::source::{Narrow, narrow};

/// What is to be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All rows.
    All,
    /// Those of a part.
    Part(Part),
    /// All rows as of a former position.
    Rewind(RewindTo),
}

/// What a rebuild or rewind would read, take and need.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The projector.
    pub name: ProjectorName,
    /// What would be rebuilt: `rebuild`, `rewind`, or a rebuild of a part.
    pub what: String,
    /// The position up to which events would be read.
    pub to: Position,
    /// How many events the projector would be given: counted, not estimated.
    pub events: u64,
    /// How many rows there are now that would be made anew, all tables together.
    pub rows: u64,
    /// How long that would take; `None` when its speed has never been measured.
    pub seconds: Option<f64>,
    /// Its speed when it was filled, as far as that was measured.
    pub events_per_second: Option<f64>,
    /// Over how many events that speed was measured.
    pub measured_events: u64,
    /// Bytes that would be needed beside those in use; `None` when the store
    /// cannot say.
    pub bytes: Option<u64>,
}

/// Says what a rebuild or rewind would cost.
///
/// # Errors
///
/// As the rebuild or rewind itself: what could not be begun is not estimated.
pub async fn estimate(
    lantern: &Lantern,
    name: &str,
    extent: &Extent,
) -> Result<Estimate, OperationError> {
    let (name, record) = lantern.record(name).await?;
    let scope = match extent {
        Extent::All => Scope::All,
        Extent::Part(part) => Scope::Part(part.clone()),
        Extent::Rewind(to) => Scope::UpTo(position_of(lantern, &record, *to).await?),
    };
    rebuild::check(&record, &scope)?;
    let live = record.live();
    let live = live.ok_or_else(|| rebuild::StartError::NotLive(name.to_string()))?;
    let to = match &scope {
        Scope::All => lantern.events.head().await?.position(),
        Scope::UpTo(position) => *position,
        Scope::Part(_) => live.checkpoint.position(),
    };
    let until = (scope != Scope::All).then_some(to);
    let events = count_events(lantern, live, until, scope.part()).await?;
    let rows = lantern.store.count_rows(live.id, scope.part()).await?;
    let fill = latest_fill(lantern, &record).await?;
    let speed = fill.events_per_second();
    Ok(Estimate {
        what: match &scope {
            Scope::All => "a rebuild".into(),
            Scope::UpTo(position) => format!("a rewind to position {position}"),
            Scope::Part(part) => format!("a rebuild of {part}"),
        },
        name,
        to,
        events,
        rows,
        seconds: speed.map(|speed| events as f64 / speed),
        events_per_second: speed,
        measured_events: fill.events,
        bytes: bytes_needed(lantern, live, &scope, rows).await?,
    })
}

async fn count_events(
    lantern: &Lantern,
    live: &Generation,
    until: Option<Position>,
    part: Option<&Part>,
) -> Result<u64, OperationError> {
    let narrowed = Narrow {
        until,
        part: part.cloned(),
    };
    let source = narrow(lantern.events.clone(), narrowed);
    let reader = source.reader(&live.description.wants, Envelope::default())?;
    let mut count = 0;
    let counted = read_all(reader, Checkpoint::start(), move |events| {
        count += events.len() as u64;
        count
    });
    counted.await
}

/// How this projector was filled last, as far as it was measured: the newest
/// first, as components differ in speed.
async fn latest_fill(lantern: &Lantern, record: &ProjectorRecord) -> Result<Fill, OperationError> {
    for generation in record.generations.iter().rev() {
        let fill = lantern.store.fill_of(generation.id).await?;
        if fill.events > 0 {
            return Ok(fill);
        }
    }
    Ok(Fill::default())
}

/// A rebuild keeps the tables that there are until it is done, and one more set
/// until the next: as much again. A part needs its share of that, by rows.
async fn bytes_needed(
    lantern: &Lantern,
    live: &Generation,
    scope: &Scope,
    rows: u64,
) -> Result<Option<u64>, OperationError> {
    let Some(size) = lantern.store.size_of(live.id).await? else {
        return Ok(None);
    };
    if scope.part().is_none() {
        return Ok(Some(size));
    }
    let all = lantern.store.count_rows(live.id, None).await?;
    let share = u128::from(size) * u128::from(rows) / u128::from(all.max(1));
    Ok(Some(u64::try_from(share).unwrap_or(u64::MAX)))
}

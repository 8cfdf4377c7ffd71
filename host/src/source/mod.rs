//! Events in order, from anywhere.
//!
//! The door to this room: a [`Source`] tells how far it goes and opens
//! [`EventReader`]s; an [`EventStore`] is a source that Lantern itself can
//! append to. The room knows events, positions and filters; it does not know
//! projectors, components or read models.

mod append;
#[cfg(test)]
mod behaviour;
pub mod cloudevents;
mod continuity;
mod error;
mod inline;
mod narrowed;
mod postgres;
mod sqlite;

pub use append::{Appended, ExpectedVersion, StreamInfo};
pub use error::SourceError;
pub use inline::{Held, InlineWork, MOST_HELD, OpenAppend};
pub use narrowed::{Narrow, narrow};
pub use postgres::{GapRule, PostgresEventStore, PostgresOptions, TableMapping, TableSource};
pub use sqlite::{Durability, SqliteEventStore, SqliteOptions};

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::model::{Checkpoint, Envelope, Event, EventBatch, EventFilter, PassedGap, Position};

/// What one read brought.
#[derive(Debug, Default)]
pub struct Page {
    /// The events that passed the filter. May be empty although the checkpoint
    /// moved on: then nothing up to there concerns the reader.
    pub events: EventBatch,
    /// Where the reader stands after these events, filtered-out ones included.
    pub checkpoint: Checkpoint,
    /// Whether there was nothing more to read.
    pub at_head: bool,
}

/// How much one read may bring: it ends when either is reached.
#[derive(Debug, Clone, Copy)]
pub struct PageLimit {
    /// Events that pass the filter.
    pub events: usize,
    /// Bytes of payload and envelope. One event is brought even if larger.
    pub bytes: usize,
}

/// A log of events that can be read in order.
#[async_trait]
pub trait Source: Send + Sync {
    /// The checkpoint of the last event that may safely be read now.
    async fn head(&self) -> Result<Checkpoint, SourceError>;

    /// Announces new heads. It is a hint for latency: it may come late or twice,
    /// but the source looks by itself often enough that none is missed.
    fn news(&self) -> watch::Receiver<Checkpoint>;

    /// What keeps the head from moving on at the moment, in one line: positions
    /// that are missing, and the transactions that may still fill them. `None`
    /// when nothing does.
    fn held_back(&self) -> Option<String> {
        None
    }

    /// Keeps appends waiting that run this projector inline, so that whoever reads the
    /// log can come level with it. `None` when no append runs it.
    async fn hold_inline(&self, _projector: &str) -> Result<Option<Held>, SourceError> {
        Ok(None)
    }

    /// Opens a reader of the events that pass `filter`.
    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError>;
}

/// Remembers which gaps a source has passed, so that it can be shown later. A
/// source passes a gap only after this has succeeded.
#[async_trait]
pub trait GapBook: Send + Sync {
    /// Writes down a gap that is about to be passed. The same gap may come twice.
    async fn write_down(
        &self,
        gap: &PassedGap,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// Reads events in order. It blocks, so it belongs on a blocking thread.
pub trait EventReader: Send {
    /// Reads the events that come next after a checkpoint.
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError>;
}

/// Reads one event by itself; `None` when it is not in the log any more, or is none
/// of the reader's. It blocks.
pub fn event_at(
    reader: &mut dyn EventReader,
    position: Position,
) -> Result<Option<EventBatch>, SourceError> {
    let after = Checkpoint::at(Position(position.0.saturating_sub(1)));
    let one = PageLimit {
        events: 1,
        bytes: usize::MAX,
    };
    let events = reader.read(&after, one)?.events;
    Ok((events.positions == [position.0]).then_some(events))
}

/// A source that Lantern owns and can append to. One that others own answers
/// [`SourceError::ReadOnly`] to appends.
#[async_trait]
pub trait EventStore: Source {
    /// Appends events of one or more streams in one transaction, in the order
    /// given. An event whose id is known from the same source is not appended
    /// again. `expected` names streams whose version must be as stated, counted
    /// before the append. An append all of whose events are known succeeds
    /// whatever is expected: it is the second try of one whose answer was lost.
    ///
    /// # Errors
    ///
    /// [`SourceError::WrongVersion`] when a stream is not at the expected
    /// version; nothing is appended then.
    async fn append(
        &self,
        events: Vec<Event>,
        expected: Vec<ExpectedVersion>,
    ) -> Result<Appended, SourceError>;

    /// Begins an import: an append of any number of events, all or none. Other
    /// appends wait for its end, and give up as they do when the store is busy.
    async fn import(&self) -> Result<Box<dyn EventImport>, SourceError>;

    /// The streams whose name begins with `prefix`, in name order, at most
    /// `limit` of them.
    async fn streams(&self, prefix: &str, limit: usize) -> Result<Vec<StreamInfo>, SourceError>;

    /// Says who runs inline projectors. Without that, appends fail while there
    /// are any. Said once; later calls change nothing.
    fn run_inline_by(&self, _work: Arc<dyn InlineWork>) {}

    /// The projectors that run inline, in name order.
    async fn inline(&self) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    /// Makes a projector run inline: in one transaction, during which nobody
    /// appends, it is brought up to the end of the log and entered into the list.
    /// From then on no append is committed without it.
    ///
    /// # Errors
    ///
    /// [`SourceError::Inline`] when it cannot follow; then nothing has changed.
    async fn begin_inline(&self, _projector: &str) -> Result<(), SourceError> {
        Err(SourceError::ReadOnly(
            "only an event log of Lantern's own runs projectors inline".into(),
        ))
    }

    /// Takes a projector off the list, if it is there: appends go on without it.
    async fn end_inline(&self, _projector: &str) -> Result<(), SourceError> {
        Ok(())
    }
}

/// An append of any number of events in one transaction. Dropping it before
/// [`finish`](EventImport::finish) takes everything back. It blocks, so it
/// belongs on a blocking thread.
pub trait EventImport: Send {
    /// Adds events, in the order given, under the rules of
    /// [`EventStore::append`]. After an error the import is taken back and of
    /// no further use.
    fn push(&mut self, events: Vec<Event>) -> Result<(), SourceError>;

    /// Makes all of it visible at once.
    fn finish(self: Box<Self>) -> Result<Appended, SourceError>;
}

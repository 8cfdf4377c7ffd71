//! The cycle within an append: read → project → fold → write, in a transaction
//! that is another's to commit.
//!
//! What is known of rows is kept from one append to the next, as long as the
//! generation stands where this worker left it. Somebody else may have moved it:
//! another process that appends, or a host that rebuilds.

use std::sync::Arc;

use super::failure::{Trouble, at_event, without_event};
use super::project::project_alone;
use super::rows::Ledger;
use crate::config::Pacing;
use crate::model::{Envelope, EventBatch, Failure, FailureClass, Row, Value};
use crate::read_store::{
    Claim, Committed, InlineStanding, ReadStore, RowReader, StoreError, Writer,
};
use crate::sandbox::LoadedProjector;
use crate::source::{EventReader, OpenAppend, Page, PageLimit, SourceError};
use crate::telemetry::in_one_line;
use crate::unit_of_work::UnitOfWork;

/// Why an inline projector could not follow an append.
#[derive(Debug, thiserror::Error)]
pub enum InlineError {
    /// An event, or the projector itself, is at fault; so the append is refused.
    #[error("projector `{projector}` refuses the append: {}", told(.failure))]
    Failed {
        /// The projector.
        projector: String,
        /// What went wrong, as it would be told of one that is not inline. The
        /// position is one that the event does not get, as it is taken back.
        failure: Box<Failure>,
    },
    /// It cannot be brought up to date within an append.
    #[error("projector `{projector}` cannot run inline: {reason}")]
    Unfit {
        /// The projector.
        projector: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The read store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event store failed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl From<InlineError> for SourceError {
    /// What passes by itself is the event store's as well: it is one database.
    fn from(error: InlineError) -> Self {
        match error {
            InlineError::Source(error) => error,
            InlineError::Store(error) if error.is_transient() => {
                SourceError::Unavailable(error.into())
            }
            error => SourceError::Inline(error.into()),
        }
    }
}

fn told(failure: &Failure) -> String {
    let mut text = failure.cause.clone();
    if let Some(event_type) = &failure.event_type {
        text += &format!(" (event of type {event_type}");
        if let Some(stream) = &failure.stream {
            text += &format!(", stream {stream}");
        }
        text.push(')');
    }
    text
}

/// Works one projector within appends.
pub struct InlineWorker {
    projector: Arc<LoadedProjector>,
    pacing: Pacing,
    ledger: Ledger,
    claim: Claim,
}

impl InlineWorker {
    /// A worker for the generation that `standing` tells of, whose component is
    /// `projector`.
    pub fn new(projector: Arc<LoadedProjector>, pacing: Pacing, standing: &InlineStanding) -> Self {
        let tables = &projector.description().tables;
        let unit = UnitOfWork::new(tables, pacing.cache_bytes, false);
        Self {
            ledger: Ledger::new(unit, Box::new(NoRows), tables),
            claim: standing.claim.clone(),
            projector,
            pacing,
        }
    }

    /// Whether the generation stands where this worker left it.
    pub fn knows(&self, standing: &InlineStanding) -> bool {
        self.claim == standing.claim && *self.projector.digest() == standing.digest
    }

    /// Brings the read models up to the last event of an open append. After an
    /// error, or if the append is not committed, the worker is of no further use.
    /// It blocks.
    ///
    /// # Errors
    ///
    /// Why it cannot follow; the append is to be taken back.
    pub fn follow(
        &mut self,
        append: &dyn OpenAppend,
        store: &dyn ReadStore,
    ) -> Result<(), InlineError> {
        let transaction = append.transaction();
        let about = self.projector.description();
        let (generation, tables) = (self.claim.generation, &about.tables);
        let needs = Envelope {
            // To say of which stream the event is that cannot be projected.
            streams: true,
            ..about.needs
        };
        let mut reader = append.reader(&about.wants, needs)?;
        let mut writer = store.inline_writer(&transaction, &self.claim, tables)?;
        let rows = store.inline_row_reader(&transaction, generation, tables)?;
        self.ledger.read_through(rows);
        let followed = loop {
            match self.round(&mut *reader, &mut *writer) {
                Ok(true) => break Ok(()),
                Ok(false) => {}
                Err(error) => break Err(error),
            }
        };
        // It must not hold on to the transaction.
        self.ledger.read_through(Box::new(NoRows));
        followed
    }

    /// One page; whether it was the last.
    fn round(
        &mut self,
        reader: &mut dyn EventReader,
        writer: &mut dyn Writer,
    ) -> Result<bool, InlineError> {
        let limit = PageLimit {
            events: self.pacing.batch_events,
            bytes: self.pacing.batch_bytes,
        };
        let from = self.claim.checkpoint.clone();
        let Page {
            events,
            checkpoint,
            at_head,
        } = reader.read(&from, limit)?;
        if checkpoint == from {
            return Ok(at_head);
        }
        if let Err(trouble) = project_alone(&self.projector, &events, &self.ledger) {
            return Err(self.first_failure(trouble, &events));
        }
        let (changes, group) = self.ledger.with_unit(UnitOfWork::take_changes);
        match writer.commit(&changes, &from, &checkpoint) {
            Ok(Committed::Stored) => {}
            Ok(Committed::Fenced(reason)) => return Err(self.unfit(reason)),
            Err(error @ (StoreError::NotUnique { .. } | StoreError::Refused { .. })) => {
                let failure =
                    self.blame(FailureClass::Projector, in_one_line(&error), &events, None);
                return Err(self.refuse(failure));
            }
            Err(error) => return Err(error.into()),
        }
        self.ledger.with_unit(|unit| unit.committed(group));
        self.claim.checkpoint = checkpoint;
        Ok(at_head)
    }

    /// Says which event is at fault, by giving them to the projector one by one: after
    /// the trouble of a page nothing of it is left.
    fn first_failure(&mut self, trouble: Trouble, events: &EventBatch) -> InlineError {
        let is_known = !matches!(&trouble, Trouble::Batch(blame) if blame.event.is_none());
        if is_known || events.len() == 1 {
            return self.failed(trouble, events);
        }
        for n in 0..events.len() {
            let one = events.pick(&[n]);
            if let Err(trouble) = project_alone(&self.projector, &one, &self.ledger) {
                return self.failed(trouble, &one);
            }
        }
        self.failed(trouble, events)
    }

    fn failed(&self, trouble: Trouble, events: &EventBatch) -> InlineError {
        let failure = match trouble {
            Trouble::Batch(blame) => self.blame(blame.class, blame.cause, events, blame.event),
            Trouble::Source(cause) => self.blame(FailureClass::Source, cause, events, None),
            Trouble::Lasting(cause) => self.blame(FailureClass::Host, cause, events, None),
            Trouble::Rows { cause, .. } => self.blame(FailureClass::Projector, cause, events, None),
            Trouble::Passing(error) => {
                return InlineError::Store(StoreError::Unavailable(error));
            }
            Trouble::Fenced(reason) => return self.unfit(reason),
            Trouble::Held { by } => return self.unfit(format!("host {by} works on it")),
            Trouble::Stuck(failure) => *failure,
            Trouble::Condemned(_) => self.blame(
                FailureClass::Host,
                "an event was set aside".to_owned(),
                events,
                None,
            ),
        };
        self.refuse(failure)
    }

    /// A failure, of the event at fault if it is known: the only one there is is.
    fn blame(
        &self,
        class: FailureClass,
        cause: String,
        events: &EventBatch,
        event: Option<usize>,
    ) -> Failure {
        let digest = self.projector.digest();
        let event = event.or((events.len() == 1).then_some(0));
        match event {
            Some(event) => {
                let one = events.pick(&[event]);
                let stream = Some(one.stream(0).to_owned());
                at_event(class, cause, digest, &one, stream)
            }
            None => without_event(class, cause, digest),
        }
    }

    fn refuse(&self, failure: Failure) -> InlineError {
        InlineError::Failed {
            projector: self.projector.description().name.to_string(),
            failure: Box::new(failure),
        }
    }

    fn unfit(&self, reason: String) -> InlineError {
        InlineError::Unfit {
            projector: self.projector.description().name.to_string(),
            reason,
        }
    }
}

/// Between two appends nobody asks for rows.
struct NoRows;

impl RowReader for NoRows {
    fn get(&mut self, _: usize, _: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        Err(StoreError::Broken(
            "rows were asked for outside of an append".into(),
        ))
    }
}

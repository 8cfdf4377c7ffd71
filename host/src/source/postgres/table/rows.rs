//! Rows as they come, into the columns of a batch.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgRow};

use super::decode::{Elements, Flaw, bytes, unreadable};
use super::holes::{Holes, Stream};
use super::kinds::Whole;
use super::slots::Slots;
use super::statements::Statements;
use super::survey::Survey;
use super::trouble::failed;
use crate::model::{Envelope, EventBatch, Position};
use crate::source::{PageLimit, SourceError};

/// Bytes in one page, whatever the caller allows: the batch counts them in 32
/// bits, and the last event may go past the limit by its whole size.
const MOST_BYTES: usize = 1 << 30;

/// Bytes of an event before any was seen. A page asks for as many events as fit
/// its limit of bytes, since what is sent too much has to be thrown away.
const FIRST_GUESS: usize = 1_024;

/// The fewest events to ask for, so that a wrong guess costs few round trips.
const FEWEST: usize = 16;

/// Turns rows into columns.
pub(super) struct Rows {
    survey: Arc<Survey>,
    needs: Envelope,
    types: Slots,
    tenants: Slots,
    /// For names that are put together.
    spare: String,
    /// The bytes that events had of late.
    usual: usize,
}

impl Rows {
    pub(super) fn new(survey: Arc<Survey>, needs: Envelope) -> Self {
        Self {
            survey,
            needs,
            types: Slots::default(),
            tenants: Slots::default(),
            spare: String::new(),
            usual: FIRST_GUESS,
        }
    }

    /// Reads a page; the last position of it when there may be more up to `end`.
    pub(super) async fn fill(
        &mut self,
        conn: &mut PgConnection,
        ask: &Statements,
        (start, end): (u64, u64),
        limit: PageLimit,
        mut holes: Option<&mut Holes>,
        batch: &mut EventBatch,
    ) -> Result<Option<u64>, SourceError> {
        self.types.begin_page();
        self.tenants.begin_page();
        let most_bytes = limit.bytes.min(MOST_BYTES);
        let most = limit
            .events
            .min((most_bytes / self.usual).max(FEWEST))
            .max(1);
        self.reserve(batch, most);
        // One more than asked for shows whether there is more, and that it does
        // not stand at the same position as the last.
        let mut rows = sqlx::query(AssertSqlSafe(ask.page.clone()))
            .bind(start as i64)
            .bind(end as i64)
            .bind(most as i64 + 1)
            .fetch(conn);
        let mut before = start;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let position = self.position(&row, before)?;
            if batch.len() >= most || (!batch.is_empty() && batch.weight() >= most_bytes) {
                self.learn(batch);
                return Ok(Some(before));
            }
            self.push(&row, position, ask, holes.as_deref_mut(), batch)?;
            before = position;
        }
        self.learn(batch);
        Ok(None)
    }

    fn reserve(&self, batch: &mut EventBatch, most: usize) {
        let count = most.min(4_096);
        batch.positions.reserve(count);
        batch.versions.reserve(count);
        batch.times.reserve(count);
        batch.types.reserve(count);
        batch.tenants.reserve(count);
        batch.data_ends.reserve(count);
        batch
            .data
            .reserve(count.saturating_mul(self.usual).min(1 << 20));
    }

    fn learn(&mut self, batch: &EventBatch) {
        if !batch.is_empty() {
            self.usual = (batch.weight() / batch.len()).max(1);
        }
    }

    #[inline]
    fn position(&self, row: &PgRow, before: u64) -> Result<u64, SourceError> {
        let position = self
            .survey
            .position
            .kind
            .read(bytes(row, 0)?)
            .map_err(|flaw| unreadable(before, "position", &flaw))? as u64;
        if position == before {
            return Err(SourceError::Unreadable {
                position: Position(position),
                reason: format!(
                    "two events of {} stand there, so it cannot be said which was read; \
                     `event_store.position` must be given only once (a sequence for each tenant \
                     makes a log for each tenant)",
                    self.survey.shown
                ),
            });
        }
        Ok(position)
    }

    #[inline]
    fn push(
        &mut self,
        row: &PgRow,
        position: u64,
        ask: &Statements,
        holes: Option<&mut Holes>,
        batch: &mut EventBatch,
    ) -> Result<(), SourceError> {
        let layout = &ask.layout;
        let survey = &*self.survey;
        let name = survey.event_type.kind.text(bytes(row, 1)?, &mut self.spare);
        let name = name.map_err(|flaw| unreadable(position, "type", &flaw))?;
        let event_type = self.types.place(name, &mut batch.type_names);
        let tenant_bytes = optional(row, layout.tenant)?;
        let name = match &survey.tenant {
            Some(part) => part.kind.text(tenant_bytes, &mut self.spare),
            None => Ok(""),
        };
        let name = name.map_err(|flaw| unreadable(position, "tenant", &flaw))?;
        let tenant = self.tenants.place(name, &mut batch.tenant_names);
        let version = match (&survey.version, layout.version) {
            (Some(part), Some(column)) => self.version(part.kind, bytes(row, column)?),
            _ => Ok(position),
        };
        let version = version.map_err(|flaw| unreadable(position, "version", &flaw))?;
        if let Some(holes) = holes {
            let stream = Stream {
                name: optional(row, layout.stream)?,
                tenant: tenant_bytes,
            };
            holes.check(stream, version, position);
        }
        let time = match (&survey.time, layout.time) {
            (Some(part), Some(column)) => part.kind.read(bytes(row, column)?),
            _ => Ok(0),
        };
        let time = time.map_err(|flaw| unreadable(position, "time", &flaw))?;
        batch.positions.push(position);
        batch.types.push(event_type);
        batch.tenants.push(tenant);
        batch.versions.push(version);
        batch.times.push(time);
        survey
            .data
            .kind
            .push_data(bytes(row, 2)?, batch)
            .map_err(|flaw| unreadable(position, "data", &flaw))?;
        self.push_envelope(row, position, ask, batch)
    }

    #[inline]
    fn push_envelope(
        &self,
        row: &PgRow,
        position: u64,
        ask: &Statements,
        batch: &mut EventBatch,
    ) -> Result<(), SourceError> {
        let survey = &*self.survey;
        if self.needs.ids {
            match (&survey.id, ask.layout.id) {
                (Some(part), Some(column)) => part
                    .kind
                    .push(bytes(row, column)?, &mut batch.ids)
                    .map_err(|flaw| unreadable(position, "id", &flaw))?,
                _ => batch.ids.push_str(&position.to_string()),
            }
            batch.id_ends.push(batch.ids.len() as u32);
        }
        if self.needs.streams {
            if let (Some(part), Some(column)) = (&survey.stream, ask.layout.stream) {
                part.kind
                    .push(bytes(row, column)?, &mut batch.streams)
                    .map_err(|flaw| unreadable(position, "stream", &flaw))?;
            }
            batch.stream_ends.push(batch.streams.len() as u32);
        }
        if self.needs.metadata {
            if let (Some(part), Some(column)) = (&survey.metadata, ask.layout.metadata) {
                let value = bytes(row, column)?.unwrap_or_default();
                let text = part.kind.as_text(value);
                batch
                    .metadata
                    .push_str(text.map_err(|flaw| unreadable(position, "metadata", &flaw))?);
            }
            batch.metadata_ends.push(batch.metadata.len() as u32);
        }
        Ok(())
    }

    /// A version, counted from 1.
    #[inline]
    fn version(&self, kind: Whole, bytes: Option<&[u8]>) -> Result<u64, Flaw> {
        let raw = kind.read(bytes)?;
        let first = self.survey.first_version as i64;
        match raw.checked_sub(first) {
            Some(since) if since >= 0 => Ok(since as u64 + 1),
            _ => Err(format!(
                "it is {raw}, but the first of a stream is said to be {first} \
                 (`event_store.first_version`)"
            )),
        }
    }

    /// Checks the versions of every stream in a range, whatever the types of the
    /// events; whether there was any event.
    pub(super) async fn check_runs(
        &mut self,
        conn: &mut PgConnection,
        sql: &str,
        (start, end): (u64, u64),
        holes: &mut Holes,
    ) -> Result<bool, SourceError> {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .bind(start as i64)
            .bind(end as i64)
            .fetch_one(conn)
            .await
            .map_err(failed)?;
        let column = |at| Ok::<_, SourceError>(Elements::of(bytes(&row, at)?));
        let names = column(0)?.zip(column(1)?);
        let numbers = column(2)?.zip(column(3)?).zip(column(4)?);
        let mut any = false;
        for ((name, tenant), ((low, high), count)) in names.zip(numbers) {
            any = true;
            let run = self.run(low, high, count);
            let (versions, count) = run.map_err(|flaw| unreadable(end, "version", &flaw))?;
            let stream = Stream { name, tenant };
            holes.check_run(stream, versions, count, start);
        }
        Ok(any)
    }

    fn run(
        &self,
        low: Option<&[u8]>,
        high: Option<&[u8]>,
        count: Option<&[u8]>,
    ) -> Result<((u64, u64), u64), Flaw> {
        let versions = (
            self.version(Whole::I64, low)?,
            self.version(Whole::I64, high)?,
        );
        Ok((versions, Whole::I64.read(count)? as u64))
    }
}

#[inline]
fn optional(row: &PgRow, column: Option<usize>) -> Result<Option<&[u8]>, SourceError> {
    column.map_or(Ok(None), |column| bytes(row, column))
}

//! The log in position order, straight into columns.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row};

use super::columns::{Columns, StreamVersion};
use super::error::failed;
use super::names::Names;
use super::options::Schema;
use super::page::Statements;
use crate::model::{Checkpoint, Envelope, EventBatch, EventFilter, Position};
use crate::postgres::Database;
use crate::source::continuity::Continuity;
use crate::source::postgres::lookout::Lookout;
use crate::source::{EventReader, Page, PageLimit, SourceError};
use crate::transaction::PostgresTransaction;

/// Positions that one read looks at, at most. A filter that lets nothing through
/// must not turn a read into a walk through the whole log: this many take 10 to
/// 30 milliseconds, and the checkpoint moves on with each.
const MOST_POSITIONS: u64 = 32_768;

/// Bytes in one page, whatever the caller allows: the batch counts them in 32
/// bits, and the last event may go past the limit by its whole size.
const MOST_BYTES: usize = 1 << 30;

/// What an event is taken to weigh before any has been seen.
const USUAL_WEIGHT: usize = 512;

/// Bytes that are read and thrown away to keep a connection when a page ends
/// early. A new connection takes about as long as one or two MiB.
const MOST_THROWN_AWAY: usize = 1 << 20;

/// Reads one projector's events.
pub(super) struct PostgresReader {
    database: Database,
    lookout: Arc<Lookout>,
    statements: Statements,
    columns: Columns,
    is_filtered: bool,
    types: Names,
    tenants: Names,
    continuity: Continuity,
    usual: Usual,
    /// An open append, to read its events, too.
    within: Option<PostgresTransaction>,
    last: String,
}

/// The page before, to make the next one in one piece.
#[derive(Clone, Copy)]
struct Usual {
    events: usize,
    data: usize,
    weight: usize,
}

impl PostgresReader {
    pub(super) fn new(
        database: Database,
        lookout: Arc<Lookout>,
        schema: &Schema,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Self {
        Self {
            database,
            lookout,
            statements: Statements::new(schema, filter, needs),
            columns: Columns::of(filter, needs),
            is_filtered: *filter != EventFilter::default(),
            types: Names::of(&schema.of("lantern_event_types")),
            tenants: Names::of(&schema.of("lantern_tenants")),
            continuity: Continuity::default(),
            usual: Usual {
                events: 0,
                data: 0,
                weight: USUAL_WEIGHT,
            },
            within: None,
            last: format!(
                "SELECT coalesce(max(position), 0) FROM {}",
                schema.of("lantern_events")
            ),
        }
    }

    /// Reads what a transaction sees: while it lasts nobody else appends, so there
    /// is nothing to look out for.
    pub(super) fn within(mut self, transaction: PostgresTransaction) -> Self {
        self.within = Some(transaction);
        self
    }

    async fn read_within(
        &mut self,
        transaction: &PostgresTransaction,
        start: u64,
        limit: PageLimit,
    ) -> Result<Page, SourceError> {
        let mut conn = transaction.lock().await;
        let last: i64 = sqlx::query_scalar(AssertSqlSafe(self.last.clone()))
            .fetch_one(&mut *conn)
            .await
            .map_err(failed)?;
        let last = (last as u64).max(start);
        let end = last.min(start.saturating_add(MOST_POSITIONS));
        let limit = self.limit(limit);
        let mut events = self.fresh_batch(limit);
        self.continuity.begin(start);
        let ending = self
            .fill(&mut conn, (start, end), limit, &mut events)
            .await?;
        let reached = self
            .complete(&mut conn, ending, (start, end), limit, &mut events)
            .await?;
        self.continuity.end(reached);
        Ok(Page {
            events,
            checkpoint: Checkpoint::at(Position(reached)),
            at_head: reached >= last,
        })
    }

    async fn read_page(&mut self, start: u64, limit: PageLimit) -> Result<Page, SourceError> {
        let mut mark = self.lookout.mark().0;
        // Far behind, there is no need to know how far exactly.
        let is_near = start.saturating_add(self.reach(limit)) >= mark;
        if is_near {
            mark = self.lookout.look().await?.0;
        }
        if start >= mark {
            return Ok(Page {
                checkpoint: Checkpoint::at(Position(start)),
                at_head: true,
                ..Page::default()
            });
        }
        let end = mark.min(start.saturating_add(MOST_POSITIONS));
        self.continuity.begin(start);
        let (events, reached) = self.read_events((start, end), limit).await?;
        self.continuity.end(reached);
        Ok(Page {
            events,
            checkpoint: Checkpoint::at(Position(reached)),
            at_head: is_near && reached >= mark,
        })
    }

    /// Reads the events after `start` up to and including `end`, as far as the limit
    /// allows; returns the last position looked at.
    async fn read_events(
        &mut self,
        (start, end): (u64, u64),
        limit: PageLimit,
    ) -> Result<(EventBatch, u64), SourceError> {
        let limit = self.limit(limit);
        let mut batch = self.fresh_batch(limit);
        let mut conn = self.acquire().await?;
        let ending = self
            .fill(&mut conn, (start, end), limit, &mut batch)
            .await?;
        if ending != Ending::All && rest(&batch, limit) > MOST_THROWN_AWAY {
            drop(conn.detach());
            conn = self.acquire().await?;
        }
        let range = (start, end);
        let reached = self
            .complete(&mut conn, ending, range, limit, &mut batch)
            .await?;
        Ok((batch, reached))
    }

    /// Checks what was read and puts the names in; returns the last position that
    /// was looked at.
    async fn complete(
        &mut self,
        conn: &mut PgConnection,
        ending: Ending,
        (start, end): (u64, u64),
        limit: PageLimit,
        batch: &mut EventBatch,
    ) -> Result<u64, SourceError> {
        if let Ending::Hole(next, expected) = ending {
            return Err(self.hole(conn, next, expected).await);
        }
        let is_full = ending == Ending::Full || batch.len() >= limit.events;
        let reached = match batch.positions.last() {
            Some(last) if is_full => *last,
            _ => end,
        };
        self.check_versions(conn, (start, reached)).await?;
        self.types
            .resolve(conn, &mut batch.types, &mut batch.type_names)
            .await?;
        self.tenants
            .resolve(conn, &mut batch.tenants, &mut batch.tenant_names)
            .await?;
        self.usual = Usual::of(batch, self.usual);
        Ok(reached)
    }

    async fn fill(
        &mut self,
        conn: &mut PgConnection,
        range: (u64, u64),
        limit: PageLimit,
        batch: &mut EventBatch,
    ) -> Result<Ending, SourceError> {
        let mut rows = self.statements.page(range, limit.events).fetch(conn);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            if let Some(next) = self.columns.push(&row, batch).map_err(failed)?
                && let Err(expected) = self.continuity.check(next.stream, next.version)
            {
                return Ok(Ending::Hole(next, expected));
            }
            if batch.weight() >= limit.bytes {
                return Ok(Ending::Full);
            }
        }
        Ok(Ending::All)
    }

    /// With a filter by type, the versions of all events of the wanted streams are
    /// read besides: one that was missed may be of any type.
    async fn check_versions(
        &mut self,
        conn: &mut PgConnection,
        range: (u64, u64),
    ) -> Result<(), SourceError> {
        let Some(versions) = self.statements.versions(range) else {
            return Ok(());
        };
        let row = versions.fetch_one(&mut *conn).await.map_err(failed)?;
        let streams: Vec<i64> = row.try_get(0).map_err(failed)?;
        let versions: Vec<i64> = row.try_get(1).map_err(failed)?;
        for (stream, version) in streams.into_iter().zip(versions) {
            let (stream, version) = (stream as u64, version as u64);
            if let Err(expected) = self.continuity.check(stream, version) {
                let next = StreamVersion { stream, version };
                return Err(self.hole(conn, next, expected).await);
            }
        }
        Ok(())
    }

    /// The error for a version that came where another one should have.
    async fn hole(
        &self,
        conn: &mut PgConnection,
        StreamVersion { stream, version }: StreamVersion,
        expected: u64,
    ) -> SourceError {
        let place = self.statements.place(stream, version).fetch_one(conn).await;
        let place = place.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        match place {
            Ok((position, name)) => {
                let position: i64 = position;
                SourceError::Hole {
                    stream: name,
                    expected,
                    found: version,
                    position: Position(position as u64),
                }
            }
            Err(error) => failed(error),
        }
    }

    /// How many positions a page may go forward, unless some are missing.
    fn reach(&self, limit: PageLimit) -> u64 {
        match self.is_filtered {
            true => MOST_POSITIONS,
            false => MOST_POSITIONS.min(limit.events as u64),
        }
    }

    async fn acquire(&self) -> Result<PoolConnection<Postgres>, SourceError> {
        self.database.pool().acquire().await.map_err(failed)
    }

    /// A limit that asks for about as many events as fill the bytes.
    fn limit(&self, limit: PageLimit) -> PageLimit {
        let bytes = limit.bytes.min(MOST_BYTES);
        let fitting = bytes / self.usual.weight.max(1);
        let events = fitting + fitting / 4 + 1;
        PageLimit {
            events: events.min(limit.events).max(1),
            bytes,
        }
    }

    fn fresh_batch(&self, limit: PageLimit) -> EventBatch {
        let events = self.usual.events.min(limit.events);
        EventBatch {
            positions: Vec::with_capacity(events),
            versions: Vec::with_capacity(events),
            times: Vec::with_capacity(events),
            types: Vec::with_capacity(events),
            tenants: Vec::with_capacity(events),
            data: String::with_capacity(self.usual.data),
            data_ends: Vec::with_capacity(events),
            ..EventBatch::default()
        }
    }
}

impl EventReader for PostgresReader {
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        let database = self.database.clone();
        let start = after.position().0;
        match self.within.clone() {
            Some(open) => database.block_on(self.read_within(&open, start, limit)),
            None => database.block_on(self.read_page(start, limit)),
        }
    }
}

/// How the rows of a page came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All that were asked for have been read.
    All,
    /// The batch is full; there may be more.
    Full,
    /// This version came, and the number is the one that should have.
    Hole(StreamVersion, u64),
}

/// The bytes that were asked for and not read, about. They come over the wire even
/// if nobody wants them.
fn rest(batch: &EventBatch, limit: PageLimit) -> usize {
    let usual = batch.weight() / batch.len().max(1);
    limit
        .events
        .saturating_sub(batch.len())
        .saturating_mul(usual)
}

impl Usual {
    fn of(batch: &EventBatch, before: Self) -> Self {
        Self {
            events: batch.len(),
            data: batch.data.len(),
            weight: match batch.len() {
                0 => before.weight,
                events => batch.weight() / events,
            },
        }
    }
}

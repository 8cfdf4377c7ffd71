//! The log in position order, page by page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::holes::Holes;
use super::rows::Rows;
use super::statements::Statements;
use super::survey::Survey;
use super::trouble::failed;
use crate::model::{Checkpoint, Envelope, EventBatch, EventFilter, Position};
use crate::postgres::Database;
use crate::source::postgres::lookout::Lookout;
use crate::source::{EventReader, Page, PageLimit, SourceError};

/// Positions that one read looks at, at most, when a filter may leave most of
/// them out: the checkpoint must move on with each read.
const MOST_POSITIONS: u64 = 32_768;

/// Reads one projector's events.
pub(super) struct TableReader {
    database: Database,
    lookout: Arc<Lookout>,
    /// Whether somebody follows the news, so that the mark is kept fresh.
    is_followed: Arc<AtomicBool>,
    ask: Statements,
    rows: Rows,
    /// `None` when the table has no versions.
    holes: Option<Holes>,
}

impl TableReader {
    pub(super) fn new(
        database: Database,
        lookout: Arc<Lookout>,
        is_followed: Arc<AtomicBool>,
        survey: Arc<Survey>,
        (filter, needs): (&EventFilter, Envelope),
    ) -> Self {
        let ask = Statements::new(&survey, filter, needs);
        let holes = survey
            .version
            .as_ref()
            .map(|version| Holes::new(&survey, version));
        Self {
            rows: Rows::new(survey, needs),
            database,
            lookout,
            is_followed,
            ask,
            holes,
        }
    }

    /// How far may be read, looking anew when nothing is left before the mark.
    fn mark_after(&self, start: u64) -> Result<u64, SourceError> {
        let mark = self.lookout.mark().0;
        if start < mark {
            return Ok(mark);
        }
        Ok(self.database.block_on(self.lookout.look())?.0)
    }

    /// Whether a reader that stands here has read all.
    fn is_at_head(&self, reached: u64, mark: u64) -> Result<bool, SourceError> {
        if reached < mark || self.is_followed.load(Ordering::Relaxed) {
            return Ok(reached >= mark);
        }
        Ok(reached >= self.database.block_on(self.lookout.look())?.0)
    }

    async fn fetch(
        &mut self,
        start: u64,
        mark: u64,
        limit: PageLimit,
    ) -> Result<(EventBatch, u64), SourceError> {
        let mut conn = self.database.pool().acquire().await.map_err(failed)?;
        let end = match self.ask.is_selective {
            true => mark.min(start.saturating_add(MOST_POSITIONS)),
            false => mark,
        };
        if let Some(holes) = &mut self.holes {
            holes.begin(start);
        }
        let checked = self.holes.as_mut().filter(|_| self.ask.runs.is_none());
        let mut batch = EventBatch::default();
        let last = self
            .rows
            .fill(
                &mut conn,
                &self.ask,
                (start, end),
                limit,
                checked,
                &mut batch,
            )
            .await?;
        let mut reached = last.unwrap_or(end);
        let mut is_empty = batch.is_empty();
        if let (Some(sql), Some(holes)) = (&self.ask.runs, &mut self.holes) {
            let any = self
                .rows
                .check_runs(&mut conn, sql, (start, reached), holes)
                .await?;
            is_empty &= !any;
        }
        if let Some(holes) = &mut self.holes {
            holes.settle(&mut conn).await?;
        }
        // A stretch without any event may be long: a sequence that was set ahead.
        if is_empty && reached < mark {
            reached = self.before_next(&mut conn, reached, mark).await?;
        }
        if let Some(holes) = &mut self.holes {
            holes.end(reached);
        }
        Ok((batch, reached))
    }

    /// The last position before the next event.
    async fn before_next(
        &self,
        conn: &mut PgConnection,
        after: u64,
        mark: u64,
    ) -> Result<u64, SourceError> {
        let next: Option<i64> = sqlx::query_scalar(AssertSqlSafe(self.ask.next.clone()))
            .bind(after as i64)
            .bind(mark as i64)
            .fetch_one(conn)
            .await
            .map_err(failed)?;
        Ok(next.map_or(mark, |next| next as u64 - 1))
    }
}

impl EventReader for TableReader {
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        let start = after.position().0;
        let mark = self.mark_after(start)?;
        if start >= mark {
            return Ok(Page {
                checkpoint: after.clone(),
                at_head: true,
                ..Page::default()
            });
        }
        let database = self.database.clone();
        let (events, reached) = database.block_on(self.fetch(start, mark, limit))?;
        Ok(Page {
            events,
            checkpoint: Checkpoint::at(Position(reached)),
            at_head: self.is_at_head(reached, mark)?,
        })
    }
}

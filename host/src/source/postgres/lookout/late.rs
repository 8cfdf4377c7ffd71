//! Looking again at places where no event may appear any more.
//!
//! The proof holds for writers that keep to its rules. This finds some who do not:
//! somebody inserted a row by hand, or took its number long before its
//! transaction; or the server was replaced by a copy that lacked the last events,
//! and hands out their positions once more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::scan::{Gap, last};
use super::{LogTable, failed};
use crate::source::SourceError;

/// How often to look again. With all places taken it costs the server a few
/// milliseconds.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// The places that are remembered, the newest ones.
const MOST_PLACES: usize = 1024;

/// Places where no event may appear.
#[derive(Debug)]
pub(super) struct Places {
    places: VecDeque<Gap>,
    /// The last event that was seen.
    last: u64,
    looked: Instant,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            places: VecDeque::new(),
            last: 0,
            looked: Instant::now(),
        }
    }

    /// Remembers a gap that was passed.
    pub(super) fn add(&mut self, gap: Gap) {
        if self.places.len() == MOST_PLACES {
            self.places.pop_front();
        }
        self.places.push_back(gap);
    }

    /// Remembers that an event was seen.
    pub(super) fn saw(&mut self, position: u64) {
        self.last = self.last.max(position);
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        self.looked.elapsed() >= EVERY
    }

    /// Looks again; returns the position of an event that readers have gone past.
    pub(super) async fn look(
        &mut self,
        conn: &mut PgConnection,
        log: &LogTable,
    ) -> Result<Option<u64>, SourceError> {
        self.looked = Instant::now();
        self.look_at_end(conn, log).await?;
        if self.places.is_empty() {
            return Ok(None);
        }
        let (from, position) = (&log.from, &log.position);
        let lows: Vec<i64> = self.places.iter().map(|gap| gap.from as i64).collect();
        let highs: Vec<i64> = self.places.iter().map(|gap| gap.to as i64).collect();
        let sql = format!(
            "SELECT late.lantern_at FROM unnest($1::bigint[], $2::bigint[]) \
                 AS places (lantern_low, lantern_high) \
             CROSS JOIN LATERAL (SELECT ({position})::bigint AS lantern_at FROM {from} \
                 WHERE ({position}) >= lantern_low AND ({position}) <= lantern_high \
                 ORDER BY {position} LIMIT 1) AS late \
             ORDER BY 1 LIMIT 1"
        );
        let late = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .bind(lows)
            .bind(highs)
            .fetch_optional(conn)
            .await
            .map_err(failed)?;
        late.map(|row| Ok(row.try_get::<i64, _>(0).map_err(failed)? as u64))
            .transpose()
    }

    /// The last event may be gone because it was deleted, or because the log went
    /// back to an earlier state. Only what is appended next can tell.
    async fn look_at_end(
        &mut self,
        conn: &mut PgConnection,
        log: &LogTable,
    ) -> Result<(), SourceError> {
        if self.last == 0 || last(conn, log, self.last).await?.is_some() {
            return Ok(());
        }
        let end = last(conn, log, 0).await?.unwrap_or_default();
        if end < self.last {
            tracing::warn!(
                end,
                seen = self.last,
                "events at the end of the event log are gone: they were deleted, or the log was \
                 restored from a copy that lacked them; if it was restored, rebuild all projectors"
            );
            self.add(Gap {
                from: end + 1,
                to: self.last,
            });
        }
        self.last = end;
        Ok(())
    }
}

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
        let (lows, highs) = self.ascending();
        let late = sqlx::query(AssertSqlSafe(question(log)))
            .persistent(false)
            .bind(lows)
            .bind(highs)
            .fetch_optional(conn)
            .await
            .map_err(failed)?;
        let late: Option<Option<i64>> =
            late.map(|row| row.try_get(0)).transpose().map_err(failed)?;
        Ok(late.flatten().map(|position| position as u64))
    }

    /// The first and the last positions of all places, in order; those that
    /// overlap are one.
    fn ascending(&self) -> (Vec<i64>, Vec<i64>) {
        let mut places: Vec<Gap> = self.places.iter().copied().collect();
        places.sort_unstable_by_key(|gap| gap.from);
        let mut apart: Vec<Gap> = Vec::with_capacity(places.len());
        for gap in places {
            match apart.last_mut() {
                Some(before) if gap.from <= before.to => before.to = before.to.max(gap.to),
                _ => apart.push(gap),
            }
        }
        let places = apart.iter().map(|gap| (gap.from as i64, gap.to as i64));
        places.unzip()
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

/// SQL for the first position in any of the places from $1 to $2.
fn question(log: &LogTable) -> String {
    let (from, position) = (&log.from, &log.position);
    match log.has_index {
        // A look into the index for each place, wherever they lie.
        true => format!(
            "SELECT late.lantern_at FROM unnest($1::bigint[], $2::bigint[]) \
                 AS places (lantern_low, lantern_high) \
             CROSS JOIN LATERAL (SELECT ({position})::bigint AS lantern_at FROM {from} \
                 WHERE ({position}) >= lantern_low AND ({position}) <= lantern_high \
                 ORDER BY {position} LIMIT 1) AS late \
             ORDER BY 1 LIMIT 1"
        ),
        // The table once, and for each position a binary search among the places:
        // `width_bucket` gives the number of the last one that begins there or
        // before, 0 when all begin later.
        false => format!(
            "SELECT min(({position})::bigint) FROM {from} \
             WHERE ({position})::bigint \
                 <= ($2::bigint[])[width_bucket(({position})::bigint, $1::bigint[])]"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_asked_for_in_order_and_once() {
        let mut places = Places::new();
        for (from, to) in [(5, 6), (10, 12), (3, 3), (11, 20), (20, 20), (21, 21)] {
            places.add(Gap { from, to });
        }
        assert_eq!(places.ascending(), (vec![3, 5, 10, 21], vec![3, 6, 20, 21]));
    }
}

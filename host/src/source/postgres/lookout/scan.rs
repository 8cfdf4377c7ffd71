//! Which positions there are above the mark, and which are missing.

use std::fmt;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{LogTable, failed};
use crate::source::SourceError;

/// Positions that one scan looks at, at most. It takes 5 milliseconds then, 50 when
/// some are missing, and the mark moves on with each.
const MOST_POSITIONS: u64 = 100_000;

/// Gaps that one scan tells of, at most: each that is passed is one line in the
/// book, and the mark is told of when all of them are written.
const MOST_GAPS: usize = 256;

/// A run of missing positions, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            return write!(f, "position {}", self.from);
        }
        write!(f, "positions {} to {}", self.from, self.to)
    }
}

/// What one snapshot shows above the mark.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// What is missing below `end`, in order.
    pub(super) gaps: Vec<Gap>,
    /// The last position looked at: an existing one, or the mark when there is none
    /// above it.
    pub(super) end: u64,
    /// How many positions were found.
    pub(super) found: u64,
    /// Whether there may be more above `end`.
    pub(super) is_cut: bool,
}

/// Where the mark may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Gaps that nothing can fill any more, in order.
    pub(super) dead: Vec<Gap>,
    /// The first gap that may still be filled.
    pub(super) open: Option<Gap>,
    /// Where the mark may go once all of `dead` is written down.
    pub(super) end: u64,
}

impl Scan {
    /// The way that is free when nothing can appear up to `fallen` any more. That
    /// must have been known before this scan was made.
    pub(super) fn way(&self, fallen: u64) -> Way {
        let is_dead = |gap: &&Gap| gap.to <= fallen;
        let dead: Vec<_> = self.gaps.iter().take_while(is_dead).copied().collect();
        let open = self.gaps.get(dead.len()).copied();
        Way {
            end: open.map_or(self.end, |gap| gap.from - 1),
            dead,
            open,
        }
    }
}

/// Reads the positions above `mark`. What is returned is of one snapshot.
///
/// Counting is enough while nothing is missing, and ten times as fast as looking for
/// gaps. Each of both statements tells all by itself: what one saw is never put
/// together with what the other did.
///
/// The numbers stand in the text, and it is not prepared: a plan made while the
/// table was small would be kept when it has grown.
pub(super) async fn scan(
    conn: &mut PgConnection,
    log: &LogTable,
    mark: u64,
) -> Result<Scan, SourceError> {
    match count(conn, log, mark).await? {
        (found, end) if end - mark == found => Ok(Scan {
            gaps: Vec::new(),
            end,
            found,
            is_cut: found == MOST_POSITIONS,
        }),
        _ => gaps(conn, log, mark).await,
    }
}

/// SQL for the positions above `mark` in ascending order, as `lantern_at`.
fn above(log: &LogTable, mark: u64) -> String {
    let (from, position) = (&log.from, &log.position);
    format!(
        "(SELECT ({position})::bigint AS lantern_at FROM {from} \
          WHERE ({position}) > {mark} ORDER BY {position} LIMIT {MOST_POSITIONS}) AS above"
    )
}

/// How many positions there are above `mark`, and the last of them.
async fn count(
    conn: &mut PgConnection,
    log: &LogTable,
    mark: u64,
) -> Result<(u64, u64), SourceError> {
    let above = above(log, mark);
    let sql = format!("SELECT count(*), coalesce(max(lantern_at), {mark}) FROM {above}");
    let row = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_one(conn)
        .await
        .map_err(failed)?;
    Ok((number(&row, 0)?, number(&row, 1)?))
}

async fn gaps(conn: &mut PgConnection, log: &LogTable, mark: u64) -> Result<Scan, SourceError> {
    let above = above(log, mark);
    let sql = format!(
        "SELECT lantern_at, lantern_before, lantern_number FROM (
             SELECT lantern_at, lag(lantern_at, 1, {mark}::bigint) OVER ascending AS lantern_before,
                    lead(lantern_at) OVER ascending AS lantern_next,
                    row_number() OVER ascending AS lantern_number
             FROM {above} WINDOW ascending AS (ORDER BY lantern_at)) AS looked
         WHERE lantern_at > lantern_before + 1 OR lantern_next IS NULL
         ORDER BY lantern_at LIMIT {MOST_GAPS}"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    let mut scan = Scan {
        end: mark,
        ..Scan::default()
    };
    for row in &rows {
        let (at, before) = (number(row, 0)?, number(row, 1)?);
        if at > before + 1 {
            scan.gaps.push(Gap {
                from: before + 1,
                to: at - 1,
            });
        }
        (scan.end, scan.found) = (at, number(row, 2)?);
    }
    scan.is_cut = scan.found == MOST_POSITIONS || rows.len() == MOST_GAPS;
    Ok(scan)
}

fn number(row: &PgRow, column: usize) -> Result<u64, SourceError> {
    Ok(row.try_get::<i64, _>(column).map_err(failed)? as u64)
}

/// The last position at or above `least`.
pub(super) async fn last(
    conn: &mut PgConnection,
    log: &LogTable,
    least: u64,
) -> Result<Option<u64>, SourceError> {
    let (from, position) = (&log.from, &log.position);
    let sql = format!(
        "SELECT ({position})::bigint FROM {from} WHERE ({position}) >= {least} \
         ORDER BY {position} DESC LIMIT 1"
    );
    let row = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_optional(conn)
        .await
        .map_err(failed)?;
    row.map(|row| number(&row, 0)).transpose()
}

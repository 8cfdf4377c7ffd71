//! One round: from what is committed and who is writing to the mark.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::fences::{Fence, Fences};
use super::holders::holders;
use super::late::Places;
use super::scan::{Gap, Scan, Way, last, scan};
use super::{Gaps, LogTable, failed};
use crate::model::{PassedGap, Position, Timestamp};
use crate::postgres::Database;
use crate::source::{GapBook, SourceError};

/// A scan of more positions than this is not repeated while none of the transactions
/// it waits for has ended, for as long as [`SKIP_FOR`].
const MANY: u64 = 1000;

/// How long large scans are put off while nothing can have changed. Gaps above the
/// first one are seen that much later.
const SKIP_FOR: Duration = Duration::from_secs(1);

/// The time between two lines about gaps that were passed. Writers that often fail
/// leave many, and each is in the book.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What there is to look at, and where passed gaps are written down.
pub(super) struct Watched {
    pub(super) database: Database,
    pub(super) log: LogTable,
    pub(super) book: Arc<dyn GapBook>,
}

/// How a round ended.
#[derive(Debug)]
pub(super) enum Round {
    /// All that is committed has been looked at.
    Done,
    /// Another round may move the mark.
    Again,
    /// The mark waits, for this reason.
    Held(String),
}

/// How far the lookout has come.
pub(super) struct Progress {
    mark: u64,
    /// Gaps up to here lie in the history, and are passed without a word.
    history: u64,
    fences: Fences,
    places: Places,
    /// The last scan: when it was, and how many positions it found.
    scanned: Option<(Instant, u64)>,
    /// Why the mark waits.
    held: Option<String>,
    is_book_failing: bool,
    /// Gaps that were passed since it was last told how many, and when that was.
    untold: usize,
    told: Option<Instant>,
    /// Why reading must stop, once and for all.
    late: Option<String>,
}

impl Progress {
    pub(super) fn new(gaps: Gaps) -> Self {
        let grace = match gaps {
            Gaps::Prove { grace } => grace,
            Gaps::Ignore => Duration::ZERO,
        };
        Self {
            mark: 0,
            history: 0,
            fences: Fences::new(grace),
            places: Places::new(),
            scanned: None,
            held: None,
            is_book_failing: false,
            untold: 0,
            told: None,
            late: None,
        }
    }

    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// Whether the mark has come to the end of the history.
    pub(super) fn is_past_history(&self) -> bool {
        self.mark >= self.history
    }

    /// Raises a fence at the end of the history.
    pub(super) async fn begin(&mut self, watched: &Watched) -> Result<(), SourceError> {
        let mut conn = watched.database.pool().acquire().await.map_err(failed)?;
        if let Some(end) = last(&mut conn, &watched.log, 0).await? {
            self.raise_fence(&mut conn, &watched.log, end).await?;
            self.history = end;
        }
        Ok(())
    }

    /// Looks once, and moves the mark as far as it may go. With
    /// [`Gaps::Ignore`] that is to the last position.
    pub(super) async fn round(&mut self, watched: &Watched) -> Result<Round, SourceError> {
        if let Some(late) = &self.late {
            return Err(SourceError::Unfit(late.clone()));
        }
        let log = &watched.log;
        let mut conn = watched.database.pool().acquire().await.map_err(failed)?;
        if log.gaps == Gaps::Ignore {
            self.mark = last(&mut conn, log, self.mark).await?.unwrap_or(self.mark);
            return Ok(Round::Done);
        }
        self.look_for_late(&mut conn, log).await?;
        if !self.fences.is_empty() {
            self.fences
                .update(&holders(&mut conn, &log.relations).await?);
        }
        let fallen = self.fences.fallen();
        self.leave_history(fallen);
        if let Some(held) = self.may_skip(fallen) {
            return Ok(Round::Held(held));
        }
        let scan = scan(&mut conn, log, self.mark).await?;
        self.scanned = Some((Instant::now(), scan.found));
        self.fence_in(&mut conn, log, &scan).await?;
        // The book may need a connection of the same pool.
        drop(conn);
        let way = scan.way(fallen);
        let round = match self.go(watched.book.as_ref(), &way).await {
            Ok(()) => self.outlook(&scan, way.open),
            Err(held) => Round::Held(held),
        };
        self.held = match &round {
            Round::Held(held) => Some(held.clone()),
            _ => None,
        };
        Ok(round)
    }

    async fn look_for_late(
        &mut self,
        conn: &mut PgConnection,
        log: &LogTable,
    ) -> Result<(), SourceError> {
        if !self.places.is_due() {
            return Ok(());
        }
        let Some(position) = self.places.look(conn, log).await? else {
            return Ok(());
        };
        tracing::error!(
            position,
            "an event came late, after readers had gone past its position"
        );
        let late = format!(
            "the event at position {position} appeared after readers had gone past it: it was \
             inserted by hand or restored, or its writer takes numbers outside the transaction \
             that uses them; start again and rebuild all projectors, and for such a writer set a \
             longer grace for gaps"
        );
        self.late = Some(late.clone());
        Err(SourceError::Unfit(late))
    }

    fn leave_history(&mut self, fallen: u64) {
        if self.mark < self.history && self.history <= fallen {
            self.mark = self.history;
            self.places.saw(self.mark);
            self.fences.remove_to(self.mark);
        }
    }

    /// Whether a large scan would show what the last one did; then why the mark waits.
    fn may_skip(&mut self, fallen: u64) -> Option<String> {
        let has_changed = self.fences.take_change();
        let (at, found) = self.scanned?;
        let is_same = !has_changed && !self.is_book_failing && fallen <= self.mark;
        let held = self.held.as_ref()?;
        (is_same && found > MANY && at.elapsed() < SKIP_FOR).then(|| held.clone())
    }

    /// Raises a fence above gaps that are not below one yet.
    async fn fence_in(
        &mut self,
        conn: &mut PgConnection,
        log: &LogTable,
        scan: &Scan,
    ) -> Result<(), SourceError> {
        let top = self.fences.top();
        if scan.gaps.last().is_none_or(|gap| gap.to <= top) {
            return Ok(());
        }
        let end = if scan.is_cut {
            last(conn, log, scan.end).await?.unwrap_or(scan.end)
        } else {
            scan.end
        };
        self.raise_fence(conn, log, end).await
    }

    /// Raises a fence at a position that has been seen. The holders are read now,
    /// which is after that.
    async fn raise_fence(
        &mut self,
        conn: &mut PgConnection,
        log: &LogTable,
        seen: u64,
    ) -> Result<(), SourceError> {
        let holders = holders(conn, &log.relations).await?;
        self.fences.update(&holders);
        self.fences.raise(seen, holders);
        Ok(())
    }

    /// Moves the mark along the way. The error says what keeps it on the way.
    async fn go(&mut self, book: &dyn GapBook, way: &Way) -> Result<(), String> {
        for gap in &way.dead {
            if let Err(error) = self.pass(book, *gap).await {
                if !self.is_book_failing {
                    tracing::error!(%gap, error, "cannot write down that positions are missing");
                }
                self.is_book_failing = true;
                return Err(format!(
                    "nothing can fill {gap} any more, but that cannot be written down: {error}"
                ));
            }
            self.is_book_failing = false;
        }
        if way.end > self.mark {
            self.mark = way.end;
            self.places.saw(way.end);
        }
        self.tell(&way.dead);
        self.fences.remove_to(self.mark);
        Ok(())
    }

    async fn pass(&mut self, book: &dyn GapBook, gap: Gap) -> Result<(), String> {
        if gap.to > self.history {
            let fence = self.fences.around(gap.to);
            let now = Timestamp::now();
            let passed = PassedGap {
                from: Position(gap.from),
                to: Position(gap.to),
                seen_at: fence.map_or(now, |fence| fence.raised_at),
                passed_at: now,
                proof: fence.map(Fence::proof).unwrap_or_default(),
            };
            book.write_down(&passed)
                .await
                .map_err(|error| error.to_string())?;
            self.places.add(gap);
        }
        self.mark = gap.to;
        Ok(())
    }

    /// The book has them all; the log of what happened tells how many there are.
    fn tell(&mut self, passed: &[Gap]) {
        self.untold += passed.len();
        let Some(last) = passed.last() else { return };
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            let (gaps, last) = (std::mem::take(&mut self.untold), last.to);
            tracing::info!(
                gaps,
                last,
                "went past positions that nothing can fill any more"
            );
            self.told = Some(Instant::now());
        }
    }

    /// What comes next, once the mark has gone as far as it could.
    fn outlook(&self, scan: &Scan, open: Option<Gap>) -> Round {
        let Some(gap) = open else {
            return if scan.is_cut {
                Round::Again
            } else {
                Round::Done
            };
        };
        if gap.to <= self.fences.fallen() {
            return Round::Again;
        }
        let awaited = self
            .fences
            .around(gap.to)
            .map(Fence::awaited)
            .unwrap_or_default();
        Round::Held(format!("{gap} may still come from {awaited}"))
    }
}

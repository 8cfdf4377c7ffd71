//! That no stream misses an event: the net below the lookout.
//!
//! Versions of a stream should come one by one. Where one does not, there are
//! three reasons, and the table itself tells them apart:
//!
//! - The missing version has a **lower position than one already read**, and was
//!   not there when it was passed: events are lost. That is an error.
//! - It has a **higher position**: the writer numbers a stream in another order
//!   than the log, as Marten's rich mode may. It will still come.
//! - It is **not there**: its owner deleted or archived it, or the filter of the
//!   mapping leaves it out. Nobody will ever read it.
//!
//! So a break in the versions costs one question, for all breaks of a page, and
//! a sound table has none.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::kinds::{Name, Whole};
use super::survey::{Part, Survey};
use super::trouble::failed;
use crate::model::Position;
use crate::source::SourceError;
use crate::source::continuity::Continuity;

/// Watches the versions that one reader sees. A page is checked between
/// [`begin`](Holes::begin) and [`end`](Holes::end); one that failed may be begun
/// again.
pub(super) struct Holes {
    continuity: Continuity,
    hasher: DefaultHashBuilder,
    /// What names of streams and tenants are, to show them.
    names: [Option<Name>; 2],
    /// The reader has read everything after this position, up to where the page
    /// in hand begins, or the last one ended.
    began: u64,
    stands_at: Option<u64>,
    /// Kept until they are settled, also when the page is begun again.
    breaks: Vec<Break>,
    lookup: Lookup,
    has_told: bool,
}

/// Versions that did not come in their turn.
struct Break {
    stream: String,
    tenant: String,
    /// The first of them.
    expected: u64,
    /// The version after the last of them.
    found: u64,
    /// Those of them that are before this position were passed unread.
    before: u64,
}

/// A stream, by its values as they came.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) tenant: Option<&'a [u8]>,
}

impl Holes {
    pub(super) fn new(survey: &Survey, version: &Part<Whole>) -> Self {
        Self {
            continuity: Continuity::default(),
            hasher: DefaultHashBuilder::default(),
            names: [&survey.stream, &survey.tenant].map(|part| part.as_ref().map(|it| it.kind)),
            began: 0,
            stands_at: None,
            breaks: Vec::new(),
            lookup: Lookup::new(survey, version),
            has_told: false,
        }
    }

    /// Begins a page with the events after a position.
    pub(super) fn begin(&mut self, after: u64) {
        if self.stands_at != Some(after) {
            self.breaks.clear();
            self.began = after;
        }
        self.stands_at = Some(after);
        self.continuity.begin(after);
    }

    /// Ends the page: all up to a position was read, checked and settled.
    pub(super) fn end(&mut self, reached: u64) {
        self.stands_at = Some(reached);
        self.continuity.end(reached);
    }

    /// Checks the next event of a stream.
    #[inline]
    pub(super) fn check(&mut self, stream: Stream<'_>, version: u64, position: u64) {
        let key = self.key(stream);
        if let Err(expected) = self.continuity.check(key, version) {
            self.note(key, stream, (expected, version), position);
        }
    }

    /// Checks `count` events of a stream after a position, from the lowest to the
    /// highest version among them.
    pub(super) fn check_run(
        &mut self,
        stream: Stream<'_>,
        (first, last): (u64, u64),
        count: u64,
        after: u64,
    ) {
        let key = self.key(stream);
        let whole = last.saturating_sub(first) + 1;
        match self.continuity.check_run(key, first, last, whole) {
            Ok(()) if count == whole => {}
            Ok(()) => self.keep(stream, (first, last), after + 1),
            Err(expected) => self.note(key, stream, (expected, last), after + 1),
        }
    }

    /// What a stream is remembered by.
    #[inline]
    fn key(&self, stream: Stream<'_>) -> u64 {
        let name = self.hasher.hash_one(stream.name.unwrap_or_default());
        match stream.tenant {
            // A log of one tenant is not hashed twice.
            None | Some([]) => name,
            Some(tenant) => self.hasher.hash_one((name, tenant)),
        }
    }

    #[cold]
    fn note(&mut self, key: u64, stream: Stream<'_>, (expected, found): (u64, u64), before: u64) {
        // A lower version than expected was overtaken by its successor. It is
        // here now, and when that came it was looked for.
        if found < expected {
            return;
        }
        self.keep(stream, (expected, found), before);
        // From here on the stream goes on from what came.
        let count = found - expected + 1;
        let _ = self.continuity.check_run(key, expected, found, count);
    }

    #[cold]
    fn keep(&mut self, stream: Stream<'_>, (expected, found): (u64, u64), before: u64) {
        let shown = |kind: Option<Name>, bytes| {
            let mut text = String::new();
            // What cannot be shown is found by the check of its column.
            let _ = kind.map(|kind| kind.push(bytes, &mut text));
            text
        };
        self.breaks.push(Break {
            stream: shown(self.names[0], stream.name),
            tenant: shown(self.names[1], stream.tenant),
            expected,
            found,
            before,
        });
    }

    /// Looks into what was noted.
    ///
    /// # Errors
    ///
    /// [`SourceError::Hole`] when an event was passed without being read.
    pub(super) async fn settle(&mut self, conn: &mut PgConnection) -> Result<(), SourceError> {
        if self.breaks.is_empty() {
            return Ok(());
        }
        let lost = self
            .lookup
            .find_lost(conn, &self.breaks, self.began)
            .await?;
        if let Some(at) = lost {
            let hole = &self.breaks[at];
            return Err(SourceError::Hole {
                stream: hole.stream.clone(),
                expected: hole.expected,
                found: hole.found,
                position: Position(hole.before),
            });
        }
        if !std::mem::replace(&mut self.has_told, true) {
            let first = &self.breaks[0];
            tracing::warn!(
                stream = first.stream,
                expected = first.expected,
                found = first.found,
                position = first.before,
                "versions of streams do not follow one another in the log: events were deleted or \
                 filtered out, or their writer numbers streams in another order than the log; no \
                 event was missed. Said once for each reader"
            );
        }
        self.breaks.clear();
        Ok(())
    }
}

/// Asks for events that should have been read.
struct Lookup {
    sql: String,
    first_version: u64,
}

impl Lookup {
    fn new(survey: &Survey, version: &Part<Whole>) -> Self {
        let same = |part: &Option<Part<Name>>, other: &str| {
            part.as_ref().map(|part| {
                let cast = part.kind.sql_type();
                format!(" AND {} = lantern_break.{other}::{cast}", part.sql)
            })
        };
        let stream = same(&survey.stream, "stream").unwrap_or_default();
        let tenant = same(&survey.tenant, "tenant").unwrap_or_default();
        let filter = survey.filter.iter().map(|it| format!(" AND {it}"));
        let sql = format!(
            "SELECT min(lantern_break.place) FROM \
             unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) \
             AS lantern_break (place, stream, tenant, low, high, before) \
             WHERE EXISTS (SELECT FROM {from} WHERE {version} >= lantern_break.low \
             AND {version} < lantern_break.high AND {position} > $7 \
             AND {position} < lantern_break.before{stream}{tenant}{filter})",
            from = survey.from,
            version = version.sql,
            position = survey.position.sql,
            filter = filter.collect::<String>(),
        );
        Self {
            sql,
            first_version: survey.first_version,
        }
    }

    /// The first break that is a loss.
    async fn find_lost(
        &self,
        conn: &mut PgConnection,
        breaks: &[Break],
        began: u64,
    ) -> Result<Option<usize>, SourceError> {
        let raw = |version: u64| (version - 1 + self.first_version) as i64;
        let column = |of: fn(&Break) -> u64| -> Vec<u64> { breaks.iter().map(of).collect() };
        let raws = |list: Vec<u64>| -> Vec<i64> { list.into_iter().map(raw).collect() };
        let streams: Vec<&str> = breaks.iter().map(|it| it.stream.as_str()).collect();
        let tenants: Vec<&str> = breaks.iter().map(|it| it.tenant.as_str()).collect();
        let places: Vec<i64> = (0..breaks.len() as i64).collect();
        let before: Vec<i64> = breaks.iter().map(|it| it.before as i64).collect();
        let place: Option<i64> = sqlx::query_scalar(AssertSqlSafe(self.sql.clone()))
            .bind(places)
            .bind(streams)
            .bind(tenants)
            .bind(raws(column(|it| it.expected)))
            .bind(raws(column(|it| it.found)))
            .bind(before)
            .bind(began as i64)
            .fetch_one(conn)
            .await
            .map_err(failed)?;
        Ok(place.map(|place| place as usize))
    }
}

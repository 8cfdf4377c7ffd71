//! The statements that read a page.

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use super::columns::Columns;
use super::options::Schema;
use super::ranges::Ranges;
use crate::model::{Envelope, EventFilter};

/// The statements of one reader.
///
/// Names are compared where they are, in the statement that reads the events. A
/// list of wanted numbers that is kept here would have to be complete, and new
/// numbers do not become visible in their order.
pub(super) struct Statements {
    page: String,
    versions: Option<String>,
    place: String,
    ranges: [Ranges; 3],
}

impl Statements {
    pub(super) fn new(schema: &Schema, filter: &EventFilter, needs: Envelope) -> Self {
        let events = schema.of("lantern_events");
        let streams = schema.of("lantern_streams");
        let mut conditions = String::from("e.position > $1 AND e.position <= $2");
        if !filter.streams.is_empty() {
            conditions += &is_in_stream(&streams);
        }
        if !filter.tenants.is_empty() {
            conditions += &is_one_of("tenant", &schema.of("lantern_tenants"), "$6", "$7");
        }
        let leaves_out_types = !filter.types.is_empty();
        let types = match leaves_out_types {
            true => is_one_of("type", &schema.of("lantern_event_types"), "$8", "$9"),
            false => String::new(),
        };
        Self {
            page: format!(
                "SELECT {} FROM {events} e WHERE {conditions}{types} ORDER BY e.position LIMIT $3",
                Columns::of(filter, needs).select(&streams)
            ),
            // As two arrays: half the work of rows.
            versions: leaves_out_types.then(|| {
                format!(
                    "SELECT coalesce(array_agg(v.stream), '{{}}'), \
                            coalesce(array_agg(v.version), '{{}}') \
                     FROM (SELECT e.stream, e.version FROM {events} e WHERE {conditions} \
                           ORDER BY e.position LIMIT $3) v"
                )
            }),
            place: format!(
                "SELECT e.position, s.name FROM {events} e JOIN {streams} s ON s.id = e.stream \
                 WHERE e.stream = $1 AND e.version = $2"
            ),
            ranges: [&filter.streams, &filter.tenants, &filter.types].map(|list| Ranges::of(list)),
        }
    }

    /// The events that pass the filter, after `start` up to and including `end`.
    pub(super) fn page(&self, range: (u64, u64), most: usize) -> Query<'_, Postgres, PgArguments> {
        self.ask(&self.page, range, most)
    }

    /// The streams and versions of the events that a filter by type leaves out, and
    /// of those that it lets through. `None` when there is no such filter.
    pub(super) fn versions(&self, range: (u64, u64)) -> Option<Query<'_, Postgres, PgArguments>> {
        let versions = self.versions.as_ref()?;
        Some(self.ask(versions, range, usize::MAX))
    }

    /// The position and the stream's name of a version of a stream.
    pub(super) fn place(&self, stream: u64, version: u64) -> Query<'_, Postgres, PgArguments> {
        sqlx::query(AssertSqlSafe(self.place.clone()))
            .bind(stream as i64)
            .bind(version as i64)
    }

    fn ask(
        &self,
        statement: &str,
        (start, end): (u64, u64),
        most: usize,
    ) -> Query<'_, Postgres, PgArguments> {
        let mut query = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .bind(start as i64)
            .bind(end as i64)
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        for ranges in &self.ranges {
            query = query.bind(&ranges.lows).bind(&ranges.highs);
        }
        query
    }
}

/// That the number in a column stands for one of the wanted names. `IS TRUE` keeps
/// the planner from making a join of it, which would come out of order; the wanted
/// numbers are looked up once and kept in a hash table.
fn is_one_of(column: &str, table: &str, lows: &str, highs: &str) -> String {
    format!(
        " AND (e.{column} IN (SELECT n.id FROM unnest({lows}::text[], {highs}::text[]) r(low, high) \
         JOIN {table} n ON n.name >= r.low AND n.name < r.high)) IS TRUE"
    )
}

/// That an event's stream has one of the wanted names. Asked event by event: there
/// may be millions of streams.
fn is_in_stream(streams: &str) -> String {
    format!(
        " AND (SELECT EXISTS (SELECT FROM unnest($4::text[], $5::text[]) r(low, high) \
         WHERE s.name >= r.low AND s.name < r.high) FROM {streams} s WHERE s.id = e.stream)"
    )
}

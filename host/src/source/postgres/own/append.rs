//! One append: one statement, which is its own transaction.

use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::{PgDatabaseError, PgRow};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::error::failed;
use super::numbers::{Numbered, Numbers};
use super::options::{PostgresOptions, Schema};
use super::streams::Streams;
use crate::model::{Event, Payload, Position};
use crate::source::append::check_event;
use crate::source::{Appended, Durability, ExpectedVersion, SourceError};

/// How often an append that collides with another one is tried. They collide only
/// when both bring the same event, and at the second try one of them knows it.
const TRIES: u32 = 5;

/// Bytes in one append, at most. PostgreSQL takes 1 GiB in one message.
const MOST_BYTES: usize = 768 * 1024 * 1024;

/// What a transaction is to do about waiting and about the disk. Nothing, when it
/// has been told already.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    patience: Option<i32>,
    durable: Option<bool>,
}

impl Terms {
    pub(super) fn of(options: &PostgresOptions) -> Self {
        Self {
            patience: Some(milliseconds(options.busy_timeout)),
            durable: Some(options.durability == Durability::Full),
        }
    }
}

/// A time for `lock_timeout`, where 0 would mean for ever.
pub(super) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// Puts events into the log.
pub(super) struct Appender {
    statement: String,
    numbers: Numbers,
}

impl Appender {
    pub(super) fn new(schema: &Schema, options: &PostgresOptions) -> Self {
        let function = schema.of("lantern_append_events");
        Self {
            statement: format!(
                "SELECT appended, duplicates, last_position FROM {function}\
                 ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
            ),
            numbers: Numbers::new(schema, milliseconds(options.busy_timeout)),
        }
    }

    /// Appends events in a transaction of their own, on a connection that has none
    /// open.
    pub(super) async fn append(
        &self,
        conn: &mut PgConnection,
        terms: Terms,
        events: &[Event],
        expected: &[ExpectedVersion],
    ) -> Result<Appended, SourceError> {
        check_size(events)?;
        let numbered = self.number(conn, events).await?;
        let streams = Streams::of(events, expected)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.put(conn, terms, events, &numbered, &streams).await {
                Err(error) if tries < TRIES && is_collision(&error) => {}
                done => return done.map_err(told),
            }
        }
    }

    /// Checks events and has their names numbered, on a connection that has no
    /// transaction open.
    pub(super) async fn number(
        &self,
        conn: &mut PgConnection,
        events: &[Event],
    ) -> Result<Numbered, SourceError> {
        events.iter().try_for_each(check)?;
        self.numbers.of(conn, events).await
    }

    /// Adds events to the transaction that `conn` has open.
    pub(super) async fn add(
        &self,
        conn: &mut PgConnection,
        events: &[Event],
        numbered: &Numbered,
    ) -> Result<Appended, SourceError> {
        let streams = Streams::of(events, &[])?;
        self.put(conn, Terms::default(), events, numbered, &streams)
            .await
            .map_err(told)
    }

    /// Appends events within the transaction that `conn` has open, which nobody else
    /// appends beside.
    pub(super) async fn append_within(
        &self,
        conn: &mut PgConnection,
        terms: Terms,
        events: &[Event],
        numbered: &Numbered,
        expected: &[ExpectedVersion],
    ) -> Result<Appended, SourceError> {
        check_size(events)?;
        let streams = Streams::of(events, expected)?;
        self.put(conn, terms, events, numbered, &streams)
            .await
            .map_err(told)
    }

    async fn put(
        &self,
        conn: &mut PgConnection,
        terms: Terms,
        events: &[Event],
        numbered: &Numbered,
        streams: &Streams<'_>,
    ) -> Result<Appended, sqlx::Error> {
        let texts: Vec<Option<&str>> = events.iter().map(text).collect();
        let is_all_text = texts.iter().all(Option::is_some);
        let binaries: Option<Vec<Option<&[u8]>>> =
            (!is_all_text).then(|| events.iter().map(binary).collect());
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        let times: Vec<i64> = events.iter().map(|event| event.time.0).collect();
        let metadata: Vec<Option<&str>> = events.iter().map(|e| e.metadata.as_deref()).collect();
        sqlx::query(AssertSqlSafe(self.statement.clone()))
            .bind(terms.patience)
            .bind(terms.durable)
            .bind(&streams.names)
            .bind(&streams.tenants)
            .bind(&streams.expected)
            .bind(&streams.slots)
            .bind(&numbered.types)
            .bind(&numbered.tenants)
            .bind(&numbered.sources)
            .bind(ids)
            .bind(times)
            .bind(texts)
            .bind(binaries)
            .bind(metadata)
            .fetch_one(conn)
            .await
            .and_then(|row| answer(&row))
    }
}

fn answer(row: &PgRow) -> Result<Appended, sqlx::Error> {
    let last: Option<i64> = row.try_get(2)?;
    Ok(Appended {
        appended: row.try_get::<i64, _>(0)? as u64,
        duplicates: row.try_get::<i64, _>(1)? as u64,
        last_position: last.map(|position| Position(position as u64)),
    })
}

fn text(event: &Event) -> Option<&str> {
    match &event.data {
        Payload::Text(text) => Some(text),
        Payload::Binary(_) => None,
    }
}

fn binary(event: &Event) -> Option<&[u8]> {
    match &event.data {
        Payload::Text(_) => None,
        Payload::Binary(bytes) => Some(bytes),
    }
}

/// The rules for all stores, and what only PostgreSQL cannot keep.
fn check(event: &Event) -> Result<(), SourceError> {
    check_event(event)?;
    let refuse = |what: &str| SourceError::InvalidEvent {
        id: event.id.chars().take(64).collect(),
        reason: format!(
            "its {what} contains a NUL character, which PostgreSQL cannot keep in text"
        ),
    };
    if text(event).is_some_and(|text| text.contains('\0')) {
        return Err(refuse("data"));
    }
    if event.metadata.as_ref().is_some_and(|m| m.contains('\0')) {
        return Err(refuse("metadata"));
    }
    Ok(())
}

fn check_size(events: &[Event]) -> Result<(), SourceError> {
    let bytes: usize = events.iter().map(weight).sum();
    if bytes > MOST_BYTES {
        return Err(SourceError::Broken(
            format!(
                "an append of {bytes} bytes is more than PostgreSQL takes at once ({MOST_BYTES}); \
                 append the events in parts, or import them"
            )
            .into(),
        ));
    }
    Ok(())
}

/// The bytes that an event takes on its way, about.
pub(super) fn weight(event: &Event) -> usize {
    let data = match &event.data {
        Payload::Text(text) => text.len(),
        Payload::Binary(bytes) => bytes.len(),
    };
    data + event.metadata.as_ref().map_or(0, String::len) + event.id.len() + event.stream.len() + 64
}

/// Whether another transaction brought the same events, or was crosswise in the
/// way of this one.
fn is_collision(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("40001" | "40P01" | "23505"))
}

/// The SQLSTATE of an append without the inline projectors that belong to it.
const NOT_INLINE: &str = "LN002";

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let found = error.as_database_error().and_then(|error| error.code());
    found.is_some_and(|found| found == code)
}

/// What the function reports about a stream that is not as expected.
#[derive(Deserialize)]
struct Unexpected {
    stream: String,
    expected: u64,
    actual: u64,
}

/// An error of an append, as the caller can use it.
fn told(error: sqlx::Error) -> SourceError {
    if is_collision(&error) {
        return SourceError::Unavailable(error.into());
    }
    if has_code(&error, NOT_INLINE) {
        return SourceError::NotInline(Vec::new());
    }
    if let Some(wrong) = unexpected_version(&error) {
        return SourceError::WrongVersion {
            stream: wrong.stream,
            expected: wrong.expected,
            actual: wrong.actual,
        };
    }
    failed(error)
}

fn unexpected_version(error: &sqlx::Error) -> Option<Unexpected> {
    let error = error
        .as_database_error()?
        .try_downcast_ref::<PgDatabaseError>()?;
    if error.code() != "LN001" {
        return None;
    }
    serde_json::from_str(error.detail()?).ok()
}

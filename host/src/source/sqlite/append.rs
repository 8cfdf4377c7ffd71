//! The one connection that appends, and its transactions.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hashbrown::{Equivalent, HashMap};
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, params};

use super::inline;
use crate::model::{Event, Payload, Position, Timestamp};
use crate::source::append::check_event;
use crate::source::{Appended, ExpectedVersion, InlineWork, SourceError};
use crate::transaction::SharedConnection;

/// Names and streams remembered at most; then the memory starts anew. Bounds an
/// import in which every event has a stream of its own to a few MiB.
const MOST_REMEMBERED: usize = 50_000;

/// The pause between two tries to get the write lock.
const PAUSE: Duration = Duration::from_millis(2);

/// What keeps an append from beginning, for now.
type Obstacle = Box<dyn std::error::Error + Send + Sync>;

/// Appends events, one transaction at a time.
pub(super) struct Writer {
    conn: SharedConnection,
    names: Names,
    streams: Streams,
    /// How long to wait for other writers.
    patience: Duration,
}

/// The numbers of names, as far as they are known. They never change once
/// committed, so they are kept from one transaction to the next.
struct Names {
    types: Numbers,
    tenants: Numbers,
    sources: Numbers,
}

impl Writer {
    /// With a connection that does not wait for other writers by itself.
    pub(super) fn new(conn: Connection, patience: Duration) -> Self {
        Self {
            conn: SharedConnection::new(conn),
            names: Names::default(),
            streams: Streams::default(),
            patience,
        }
    }

    /// Appends events in a transaction of their own.
    pub(super) fn append(
        &mut self,
        events: &[Event],
        expected: &[ExpectedVersion],
        inline: Option<&dyn InlineWork>,
    ) -> Result<Appended, SourceError> {
        let mut done = Appended::default();
        self.begin()?;
        let committed = self
            .check_versions(expected, events)
            .and_then(|()| self.put(events, &mut done))
            .and_then(|()| self.commit(inline));
        if committed.is_err() {
            self.rollback();
        }
        committed.map(|()| done)
    }

    /// Begins a transaction for events, waiting for writers in other processes, and
    /// for a projector that is coming level with the log.
    pub(super) fn begin(&mut self) -> Result<(), SourceError> {
        self.wait_until(|writer| {
            if let Some(obstacle) = writer.try_begin()? {
                return Ok(Some(obstacle));
            }
            let is_held = inline::is_held(&writer.conn.lock())?;
            Ok(is_held.then(|| {
                writer.rollback();
                "a projector that runs inline is coming level with the log".into()
            }))
        })
    }

    /// Tries until nothing is in the way. Not left to SQLite: its pauses grow until a
    /// writer is kept out for seconds while others write without a break.
    fn wait_until(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<Obstacle>, SourceError>,
    ) -> Result<(), SourceError> {
        let deadline = Instant::now() + self.patience;
        while let Some(obstacle) = attempt(self)? {
            if Instant::now() >= deadline {
                return Err(SourceError::Unavailable(obstacle));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    /// Begins a transaction unless somebody else has one open that writes.
    fn try_begin(&mut self) -> Result<Option<Obstacle>, SourceError> {
        // A panic in an earlier append may have left its transaction open.
        let is_open = !self.conn.lock().is_autocommit();
        if is_open {
            self.rollback();
        }
        let conn = self.conn.lock();
        let begun = conn.prepare_cached("BEGIN IMMEDIATE");
        match begun.and_then(|mut begin| begin.execute([])) {
            Ok(_) => Ok(None),
            Err(error) if is_busy(&error) => Ok(Some(error.into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds events to the open transaction and counts them in `done`.
    pub(super) fn put(&mut self, events: &[Event], done: &mut Appended) -> Result<(), SourceError> {
        let conn = self.conn.lock();
        let mut find = conn
            .prepare_cached("SELECT position FROM lantern_events WHERE source = ?1 AND id = ?2")?;
        let mut insert = conn.prepare_cached(
            "INSERT INTO lantern_events (type, tenant, version, time, stream, source, id, data, metadata) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for event in events {
            check_event(event)?;
            let source = self.names.sources.of(&conn, &event.source)?;
            // Asked before anything else is made: a known event must leave
            // neither an empty stream nor a gap in the positions.
            let known = find
                .query_row(params![source, event.id], |row| row.get(0))
                .optional()?;
            let position: i64 = match known {
                Some(position) => {
                    done.duplicates += 1;
                    position
                }
                None => {
                    let event_type = self.names.types.of(&conn, &event.event_type)?;
                    let tenant = self.names.tenants.of(&conn, &event.tenant)?;
                    let stream = self.streams.of(&conn, tenant, &event.stream)?;
                    stream.version += 1;
                    let place = (event_type, tenant, stream.version, stream.id, source);
                    done.appended += 1;
                    insert_event(&mut insert, event, place)?;
                    conn.last_insert_rowid()
                }
            };
            // New positions are above all earlier ones, so the highest is that
            // of the last new event, if there is one.
            done.last_position = done.last_position.max(Some(Position(position as u64)));
        }
        Ok(())
    }

    /// Runs the inline projectors, if there are any, and commits the open
    /// transaction.
    pub(super) fn commit(&mut self, inline: Option<&dyn InlineWork>) -> Result<(), SourceError> {
        self.streams.write_back(&self.conn.lock())?;
        let followed = inline::follow(&self.conn, inline)?;
        let committed = self
            .conn
            .lock()
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        if let Some(work) = followed {
            work.ended(committed.is_ok());
        }
        committed?;
        Ok(())
    }

    /// Brings a projector up to the end of the log, and enters it into the list of
    /// those that run inline.
    pub(super) fn begin_inline(
        &mut self,
        projector: &str,
        inline: Option<&dyn InlineWork>,
    ) -> Result<(), SourceError> {
        self.wait_until(Self::try_begin)?;
        let entered = self.conn.lock().execute(inline::BEGIN, [projector]);
        let committed = match entered {
            Ok(_) => self.commit(inline),
            Err(error) => Err(error.into()),
        };
        if committed.is_err() {
            self.rollback();
        }
        committed
    }

    /// Takes a projector off the list of those that run inline.
    pub(super) fn end_inline(&mut self, projector: &str) -> Result<(), SourceError> {
        self.change(|conn| conn.execute(inline::END, [projector]).map(drop))
    }

    /// Has appends wait until `until`, if they run this projector; whether they do.
    pub(super) fn hold(&mut self, projector: &str, until: Timestamp) -> Result<bool, SourceError> {
        self.change(|conn| inline::hold(conn, projector, until))
    }

    /// Has appends go on.
    pub(super) fn let_go(&mut self) -> Result<(), SourceError> {
        self.change(inline::let_go)
    }

    /// Changes what appends go by, in a transaction that has no events.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SourceError> {
        self.wait_until(Self::try_begin)?;
        let changed = change(&self.conn.lock());
        let committed = changed.and_then(|changed| {
            self.conn.lock().execute_batch("COMMIT")?;
            Ok(changed)
        });
        if committed.is_err() {
            self.rollback();
        }
        Ok(committed?)
    }

    /// Takes the open transaction back.
    pub(super) fn rollback(&mut self) {
        // The numbers given out since `begin` go back with the transaction.
        self.names = Names::default();
        self.streams = Streams::default();
        // SQLite itself rolls back after some errors, such as a full disk; then
        // there is no transaction and nothing left to do. Any other refusal
        // shows in the next `begin`.
        let _ = self.conn.lock().execute_batch("ROLLBACK");
    }

    fn check_versions(
        &self,
        expected: &[ExpectedVersion],
        events: &[Event],
    ) -> Result<(), SourceError> {
        for ExpectedVersion {
            tenant,
            stream,
            version,
        } in expected
        {
            let actual = self.version(tenant, stream)?;
            if actual != *version && (events.is_empty() || !self.knows_all(events)?) {
                return Err(SourceError::WrongVersion {
                    stream: stream.clone(),
                    expected: *version,
                    actual,
                });
            }
        }
        Ok(())
    }

    fn version(&self, tenant: &str, stream: &str) -> Result<u64, SourceError> {
        let conn = self.conn.lock();
        let mut find = conn.prepare_cached(
            "SELECT s.version FROM lantern_streams s JOIN lantern_tenants t ON t.id = s.tenant \
             WHERE s.name = ?1 AND t.name = ?2",
        )?;
        let version: Option<i64> = find
            .query_row([stream, tenant], |row| row.get(0))
            .optional()?;
        Ok(version.unwrap_or_default() as u64)
    }

    fn knows_all(&self, events: &[Event]) -> Result<bool, SourceError> {
        let conn = self.conn.lock();
        let mut find = conn.prepare_cached(
            "SELECT 1 FROM lantern_events e JOIN lantern_event_sources o ON o.id = e.source \
             WHERE o.name = ?1 AND e.id = ?2",
        )?;
        for event in events {
            if !find.exists([&event.source, &event.id])? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn insert_event(
    insert: &mut CachedStatement<'_>,
    event: &Event,
    (event_type, tenant, version, stream, source): (i64, i64, i64, i64, i64),
) -> rusqlite::Result<usize> {
    let time = event.time.0;
    match &event.data {
        Payload::Text(text) => insert.execute(params![
            event_type,
            tenant,
            version,
            time,
            stream,
            source,
            event.id,
            text,
            event.metadata
        ]),
        Payload::Binary(bytes) => insert.execute(params![
            event_type,
            tenant,
            version,
            time,
            stream,
            source,
            event.id,
            bytes,
            event.metadata
        ]),
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            types: Numbers::of_table("lantern_event_types"),
            tenants: Numbers::of_table("lantern_tenants"),
            sources: Numbers::of_table("lantern_event_sources"),
        }
    }
}

/// The numbers of the names in one table.
struct Numbers {
    table: &'static str,
    known: HashMap<String, i64>,
}

impl Numbers {
    fn of_table(table: &'static str) -> Self {
        Self {
            table,
            known: HashMap::new(),
        }
    }

    /// The number of a name, given out if it has none.
    fn of(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(number) = self.known.get(name) {
            return Ok(*number);
        }
        let find = format!("SELECT id FROM {} WHERE name = ?1", self.table);
        let found = conn
            .prepare_cached(&find)?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let number = match found {
            Some(number) => number,
            None => {
                let add = format!("INSERT INTO {} (name) VALUES (?1)", self.table);
                conn.prepare_cached(&add)?.insert([name])?
            }
        };
        if self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
        }
        self.known.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// The streams of the open transaction, and how many events each has by now.
#[derive(Default)]
struct Streams {
    touched: HashMap<StreamKey, Stream>,
}

#[derive(PartialEq, Eq, Hash)]
struct StreamKey {
    tenant: i64,
    name: String,
}

#[derive(Clone, Copy)]
struct Stream {
    id: i64,
    version: i64,
}

impl Streams {
    /// The stream of that name, made if there is none. The caller counts its
    /// events up; [`write_back`](Self::write_back) writes the counts.
    fn of(&mut self, conn: &Connection, tenant: i64, name: &str) -> rusqlite::Result<&mut Stream> {
        if self.touched.len() >= MOST_REMEMBERED {
            self.write_back(conn)?;
        }
        if !self.touched.contains_key(&(tenant, name)) {
            let stream = find_or_make(conn, tenant, name)?;
            let key = StreamKey {
                tenant,
                name: name.to_owned(),
            };
            self.touched.insert(key, stream);
        }
        Ok(self
            .touched
            .get_mut(&(tenant, name))
            .expect("it has just been put in"))
    }

    fn write_back(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let mut update =
            conn.prepare_cached("UPDATE lantern_streams SET version = ?2 WHERE id = ?1")?;
        let mut streams: Vec<Stream> = self.touched.drain().map(|(_, stream)| stream).collect();
        // In the order in which they lie on disk.
        streams.sort_unstable_by_key(|stream| stream.id);
        for Stream { id, version } in streams {
            update.execute([id, version])?;
        }
        Ok(())
    }
}

fn find_or_make(conn: &Connection, tenant: i64, name: &str) -> rusqlite::Result<Stream> {
    let found = conn
        .prepare_cached("SELECT id, version FROM lantern_streams WHERE name = ?1 AND tenant = ?2")?
        .query_row(params![name, tenant], |row| {
            Ok(Stream {
                id: row.get(0)?,
                version: row.get(1)?,
            })
        })
        .optional()?;
    if let Some(stream) = found {
        return Ok(stream);
    }
    let id = conn
        .prepare_cached("INSERT INTO lantern_streams (name, tenant, version) VALUES (?1, ?2, 0)")?
        .insert(params![name, tenant])?;
    Ok(Stream { id, version: 0 })
}

impl Equivalent<StreamKey> for (i64, &str) {
    fn equivalent(&self, key: &StreamKey) -> bool {
        self.0 == key.tenant && self.1 == key.name
    }
}

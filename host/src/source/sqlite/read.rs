//! The log in position order, straight into columns.

use rusqlite::{Connection, Row};

use super::columns::{Columns, push_text, text};
use super::names::Names;
use super::news::read_head;
use crate::model::{Checkpoint, Envelope, EventBatch, EventFilter, Pattern, Position};
use crate::source::continuity::Continuity;
use crate::source::{EventReader, Page, PageLimit, SourceError};
use crate::transaction::SharedConnection;

/// Positions that one read looks at, at most. A filter that lets nothing through
/// must not turn a read into a walk through the whole log: this many take 5
/// to 15 milliseconds, and the checkpoint moves on with each.
const MOST_POSITIONS: u64 = 32_768;

/// Bytes in one page, whatever the caller allows: the batch counts them in 32
/// bits, and the last event may go past the limit by its whole size.
const MOST_BYTES: usize = 1 << 30;

/// Reads one projector's events.
pub(super) struct SqliteReader {
    conn: SharedConnection,
    /// Whether the connection has a transaction open, which is another's.
    is_within: bool,
    needs: Envelope,
    types: Names,
    tenants: Names,
    streams: Vec<Pattern>,
    query: String,
    /// How many wanted types and tenants the query is made for.
    query_knows: (usize, usize),
    /// The size of the page before, to make the next one in one piece.
    usual: Size,
    continuity: Continuity,
    /// Whether the filter leaves out events of streams that it lets through.
    leaves_out_types: bool,
}

#[derive(Clone, Copy, Default)]
struct Size {
    events: usize,
    data: usize,
}

impl SqliteReader {
    /// A reader with a connection of its own.
    pub(super) fn new(conn: Connection, filter: &EventFilter, needs: Envelope) -> Self {
        Self {
            is_within: false,
            ..Self::within(SharedConnection::new(conn), filter, needs)
        }
    }

    /// A reader within the transaction that a connection has open.
    pub(super) fn within(conn: SharedConnection, filter: &EventFilter, needs: Envelope) -> Self {
        let types = Names::new("lantern_event_types", &filter.types);
        let tenants = Names::new("lantern_tenants", &filter.tenants);
        let columns = Columns::of(needs, &filter.streams);
        Self {
            query: columns.query(&types, &tenants),
            conn,
            is_within: true,
            needs,
            types,
            tenants,
            streams: filter.streams.clone(),
            query_knows: (0, 0),
            usual: Size::default(),
            continuity: Continuity::default(),
            leaves_out_types: !filter.types.is_empty(),
        }
    }

    /// Reads the events after `start` up to and including `end`; returns
    /// the last position looked at.
    fn fill(
        &mut self,
        conn: &Connection,
        (start, end): (u64, u64),
        limit: PageLimit,
        batch: &mut EventBatch,
    ) -> Result<u64, SourceError> {
        let columns = Columns::of(self.needs, &self.streams);
        let most_bytes = limit.bytes.min(MOST_BYTES);
        let mut select = conn.prepare_cached(&self.query)?;
        let mut rows = select.query([start as i64, end as i64])?;
        while let Some(row) = rows.next()? {
            let Some(event_type) = self.types.slot(conn, row.get(1)?, &mut batch.type_names)?
            else {
                continue;
            };
            let Some(tenant) = self
                .tenants
                .slot(conn, row.get(2)?, &mut batch.tenant_names)?
            else {
                continue;
            };
            if let Some(column) = columns.stream {
                let stream = text(row, column)?;
                if !self.streams.is_empty() && !self.streams.iter().any(|p| p.matches(stream)) {
                    continue;
                }
                if self.needs.streams {
                    push_text(stream, &mut batch.streams, &mut batch.stream_ends);
                }
            }
            let (stream, version) = (row.get::<_, i64>(6)?, row.get::<_, i64>(3)? as u64);
            let next = if self.leaves_out_types {
                self.continuity.check_ascending(stream as u64, version)
            } else {
                self.continuity.check(stream as u64, version)
            };
            if let Err(expected) = next {
                return Err(hole(conn, row, stream, expected)?);
            }
            batch.types.push(event_type);
            batch.tenants.push(tenant);
            batch.versions.push(version);
            columns.push_rest(row, batch)?;
            if batch.len() >= limit.events || batch.weight() >= most_bytes {
                return Ok(batch.positions[batch.len() - 1]);
            }
        }
        Ok(end)
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

    fn begin_page(&mut self, conn: &Connection) -> Result<(), SourceError> {
        self.types.begin_page(conn)?;
        self.tenants.begin_page(conn)?;
        let known = (self.types.count_wanted(), self.tenants.count_wanted());
        // Compared with what the query was made for, not with the page before:
        // that one may have failed between learning a name and using it.
        if known != self.query_knows {
            self.query = Columns::of(self.needs, &self.streams).query(&self.types, &self.tenants);
            self.query_knows = known;
        }
        Ok(())
    }

    fn read_page(
        &mut self,
        conn: &Connection,
        after: &Checkpoint,
        limit: PageLimit,
    ) -> Result<Page, SourceError> {
        let start = after.position().0;
        let head = read_head(conn)?.0;
        if start >= head {
            return Ok(Page {
                checkpoint: after.clone(),
                at_head: true,
                ..Page::default()
            });
        }
        self.begin_page(conn)?;
        self.continuity.begin(start);
        let mut events = self.fresh_batch(limit);
        let reached = if self.types.wants_none() || self.tenants.wants_none() {
            head
        } else {
            let end = head.min(start.saturating_add(MOST_POSITIONS));
            self.fill(conn, (start, end), limit, &mut events)?
        };
        self.continuity.end(reached);
        self.usual = Size {
            events: events.len(),
            data: events.data.len(),
        };
        Ok(Page {
            events,
            checkpoint: Checkpoint::at(Position(reached)),
            at_head: reached >= head,
        })
    }
}

impl EventReader for SqliteReader {
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        let shared = self.conn.clone();
        let conn = shared.lock();
        if self.is_within {
            return self.read_page(&conn, after, limit);
        }
        // One snapshot for the head, the names and the events: an append in
        // between must not make the checkpoint pass over it.
        conn.prepare_cached("BEGIN")?.execute([])?;
        let page = self.read_page(&conn, after, limit);
        let ended = conn.prepare_cached("ROLLBACK")?.execute([]);
        let page = page?;
        ended?;
        Ok(page)
    }
}

/// An event of a stream came in the place of another.
#[cold]
fn hole(
    conn: &Connection,
    row: &Row<'_>,
    stream: i64,
    expected: u64,
) -> Result<SourceError, SourceError> {
    let name = "SELECT name FROM lantern_streams WHERE id = ?1";
    Ok(SourceError::Hole {
        stream: conn.query_row(name, [stream], |row| row.get(0))?,
        expected,
        found: row.get::<_, i64>(3)? as u64,
        position: Position(row.get::<_, i64>(0)? as u64),
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::model::{Event, Payload, Timestamp};
    use crate::source::{EventStore, Source, SqliteEventStore, SqliteOptions};

    const PAGE: PageLimit = PageLimit {
        events: 3,
        bytes: 1 << 20,
    };

    /// Six events of the stream `a`, at versions and positions 1 to 6.
    async fn six() -> (TempDir, SqliteEventStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let store = SqliteEventStore::open(&path, SqliteOptions::default())
            .await
            .unwrap();
        let events = (1..=6).map(|id| Event {
            id: id.to_string(),
            source: "/tests".into(),
            event_type: "t".into(),
            stream: "a".into(),
            tenant: String::new(),
            time: Timestamp(0),
            data: Payload::Text("{}".into()),
            metadata: None,
        });
        store.append(events.collect(), Vec::new()).await.unwrap();
        (folder, store)
    }

    fn change(folder: &TempDir, sql: &str) {
        let conn = Connection::open(folder.path().join("events.db")).unwrap();
        conn.execute_batch(sql).unwrap();
    }

    #[tokio::test]
    async fn a_hole_in_a_stream_stops_the_reader_each_time() {
        let (folder, store) = six().await;
        let mut reader = store
            .reader(&EventFilter::default(), Envelope::default())
            .unwrap();
        let page = reader.read(&Checkpoint::start(), PAGE).unwrap();
        change(&folder, "DELETE FROM lantern_events WHERE position = 5");
        for _ in 0..2 {
            let error = reader.read(&page.checkpoint, PAGE).unwrap_err();
            assert_eq!(
                error.to_string(),
                "stream `a` has a hole: version 6 came at position 6, where version 5 should be next"
            );
        }
        change(
            &folder,
            "UPDATE lantern_events SET version = 5 WHERE position = 6",
        );
        assert_eq!(reader.read(&page.checkpoint, PAGE).unwrap().events.len(), 2);
        assert_eq!(
            reader
                .read(&Checkpoint::start(), PAGE)
                .unwrap()
                .events
                .len(),
            3
        );
    }

    #[tokio::test]
    async fn a_filter_by_types_allows_holes_but_no_way_back() {
        let (folder, store) = six().await;
        let filter = EventFilter {
            types: vec![Pattern("t".into())],
            ..EventFilter::default()
        };
        let mut reader = store.reader(&filter, Envelope::default()).unwrap();
        change(&folder, "DELETE FROM lantern_events WHERE position = 2");
        let page = reader.read(&Checkpoint::start(), PAGE).unwrap();
        assert_eq!(page.checkpoint.position(), Position(4));
        change(
            &folder,
            "UPDATE lantern_events SET version = 2 WHERE position = 5",
        );
        let error = reader.read(&page.checkpoint, PAGE).unwrap_err();
        assert!(
            matches!(
                error,
                SourceError::Hole {
                    expected: 5,
                    found: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
}

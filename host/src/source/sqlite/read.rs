//! The log in position order, straight into columns.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row};

use super::names::Names;
use super::news::read_head;
use crate::model::{Checkpoint, Envelope, EventBatch, EventFilter, Pattern, Position};
use crate::source::{EventReader, Page, PageLimit, SourceError};

/// Positions that one read looks at, at most. A filter that lets nothing through
/// must not turn a read into a walk through the whole log: this many take 5
/// to 15 milliseconds, and the checkpoint moves on with each.
const MOST_POSITIONS: u64 = 32_768;

/// Bytes in one page, whatever the caller allows: the batch counts them in 32
/// bits, and the last event may go past the limit by its whole size.
const MOST_BYTES: usize = 1 << 30;

/// Reads one projector's events.
pub(super) struct SqliteReader {
    conn: Connection,
    needs: Envelope,
    types: Names,
    tenants: Names,
    streams: Vec<Pattern>,
    query: String,
    /// How many wanted types and tenants the query is made for.
    query_knows: (usize, usize),
    /// The size of the page before, to make the next one in one piece.
    usual: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    events: usize,
    data: usize,
}

impl SqliteReader {
    pub(super) fn new(conn: Connection, filter: &EventFilter, needs: Envelope) -> Self {
        let types = Names::new("lantern_event_types", &filter.types);
        let tenants = Names::new("lantern_tenants", &filter.tenants);
        let columns = Columns::of(needs, &filter.streams);
        Self {
            query: columns.query(&types, &tenants),
            conn,
            needs,
            types,
            tenants,
            streams: filter.streams.clone(),
            query_knows: (0, 0),
            usual: Size::default(),
        }
    }

    /// Reads the events after `start` up to and including `end`; returns
    /// the last position looked at.
    fn fill(
        &mut self,
        (start, end): (u64, u64),
        limit: PageLimit,
        batch: &mut EventBatch,
    ) -> Result<u64, SourceError> {
        let columns = Columns::of(self.needs, &self.streams);
        let most_bytes = limit.bytes.min(MOST_BYTES);
        let mut select = self.conn.prepare_cached(&self.query)?;
        let mut rows = select.query([start as i64, end as i64])?;
        while let Some(row) = rows.next()? {
            let Some(event_type) =
                self.types
                    .slot(&self.conn, row.get(1)?, &mut batch.type_names)?
            else {
                continue;
            };
            let Some(tenant) =
                self.tenants
                    .slot(&self.conn, row.get(2)?, &mut batch.tenant_names)?
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
            batch.types.push(event_type);
            batch.tenants.push(tenant);
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

    fn begin_page(&mut self) -> Result<(), SourceError> {
        self.types.begin_page(&self.conn)?;
        self.tenants.begin_page(&self.conn)?;
        let known = (self.types.count_wanted(), self.tenants.count_wanted());
        // Compared with what the query was made for, not with the page before:
        // that one may have failed between learning a name and using it.
        if known != self.query_knows {
            self.query = Columns::of(self.needs, &self.streams).query(&self.types, &self.tenants);
            self.query_knows = known;
        }
        Ok(())
    }

    fn read_page(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        let start = after.position().0;
        let head = read_head(&self.conn)?.0;
        if start >= head {
            return Ok(Page {
                checkpoint: after.clone(),
                at_head: true,
                ..Page::default()
            });
        }
        self.begin_page()?;
        let mut events = self.fresh_batch(limit);
        let reached = if self.types.wants_none() || self.tenants.wants_none() {
            head
        } else {
            let end = head.min(start.saturating_add(MOST_POSITIONS));
            self.fill((start, end), limit, &mut events)?
        };
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
        // One snapshot for the head, the names and the events: an append in
        // between must not make the checkpoint pass over it.
        self.conn.prepare_cached("BEGIN")?.execute([])?;
        let page = self.read_page(after, limit);
        let ended = self.conn.prepare_cached("ROLLBACK")?.execute([]);
        let page = page?;
        ended?;
        Ok(page)
    }
}

/// Where each column stands in the query. Position, type, tenant, version, time
/// and data are always there, as 0 to 5.
#[derive(Clone, Copy)]
struct Columns {
    id: Option<usize>,
    metadata: Option<usize>,
    stream: Option<usize>,
}

impl Columns {
    fn of(needs: Envelope, streams: &[Pattern]) -> Self {
        let mut next = 6;
        let mut place = |is_asked: bool| {
            is_asked.then(|| {
                next += 1;
                next - 1
            })
        };
        Self {
            id: place(needs.ids),
            metadata: place(needs.metadata),
            stream: place(needs.streams || !streams.is_empty()),
        }
    }

    fn query(&self, types: &Names, tenants: &Names) -> String {
        let id = self.id.map_or("", |_| ", e.id");
        let metadata = self.metadata.map_or("", |_| ", e.metadata");
        let stream = self.stream.map_or("", |_| ", s.name");
        // CROSS keeps the events as the outer loop, in their order.
        let join = self
            .stream
            .map_or("", |_| " CROSS JOIN lantern_streams s ON s.id = e.stream");
        let condition = [types.condition("e.type"), tenants.condition("e.tenant")];
        let condition: String = condition.into_iter().flatten().collect();
        format!(
            "SELECT e.position, e.type, e.tenant, e.version, e.time, e.data{id}{metadata}{stream} \
             FROM lantern_events e{join} \
             WHERE e.position > ?1 AND e.position <= ?2{condition} ORDER BY e.position"
        )
    }

    fn push_rest(self, row: &Row<'_>, batch: &mut EventBatch) -> Result<(), SourceError> {
        batch.positions.push(row.get::<_, i64>(0)? as u64);
        batch.versions.push(row.get::<_, i64>(3)? as u64);
        batch.times.push(row.get(4)?);
        push_data(row, batch)?;
        if let Some(column) = self.id {
            push_text(text(row, column)?, &mut batch.ids, &mut batch.id_ends);
        }
        if let Some(column) = self.metadata {
            push_text(
                text(row, column)?,
                &mut batch.metadata,
                &mut batch.metadata_ends,
            );
        }
        Ok(())
    }
}

fn push_data(row: &Row<'_>, batch: &mut EventBatch) -> Result<(), SourceError> {
    if let ValueRef::Blob(bytes) = row.get_ref(5)? {
        // The first binary payload: all before it had none.
        batch
            .binary_ends
            .resize(batch.data_ends.len(), batch.binary.len() as u32);
        batch.binary.extend_from_slice(bytes);
        batch.binary_ends.push(batch.binary.len() as u32);
        batch.data_ends.push(batch.data.len() as u32);
        return Ok(());
    }
    push_text(text(row, 5)?, &mut batch.data, &mut batch.data_ends);
    if !batch.binary_ends.is_empty() {
        batch.binary_ends.push(batch.binary.len() as u32);
    }
    Ok(())
}

#[inline]
fn push_text(text: &str, all: &mut String, ends: &mut Vec<u32>) {
    all.push_str(text);
    ends.push(all.len() as u32);
}

/// The text of a column, `""` for null.
#[inline]
fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, SourceError> {
    let bytes = match row.get_ref(column)? {
        ValueRef::Text(bytes) => bytes,
        ValueRef::Null => return Ok(""),
        other => return Err(misplaced(row, column, other.data_type())),
    };
    // SQLite itself does not see to it that text is text.
    std::str::from_utf8(bytes).map_err(|error| damaged(row, column, error.into()))
}

#[cold]
fn misplaced(row: &Row<'_>, column: usize, found: Type) -> SourceError {
    damaged(row, column, format!("it is {found} and not text").into())
}

#[cold]
fn damaged(
    row: &Row<'_>,
    column: usize,
    reason: Box<dyn std::error::Error + Send + Sync>,
) -> SourceError {
    let position: i64 = row.get(0).unwrap_or_default();
    let column = row.as_ref().column_name(column).unwrap_or_default();
    SourceError::Broken(
        format!("the {column} of the event at position {position} is damaged: {reason}").into(),
    )
}

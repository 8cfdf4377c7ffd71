//! The columns of the log: which are asked for, and how they are put into a batch.

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

use super::names::Names;
use crate::model::{Envelope, EventBatch, Pattern};
use crate::source::SourceError;

/// Where each column stands in the query. Position, type, tenant, version, time,
/// data and the stream's id are always there, as 0 to 6.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    id: Option<usize>,
    metadata: Option<usize>,
    pub(super) stream: Option<usize>,
}

impl Columns {
    pub(super) fn of(needs: Envelope, streams: &[Pattern]) -> Self {
        let mut next = 7;
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

    pub(super) fn query(&self, types: &Names, tenants: &Names) -> String {
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
            "SELECT e.position, e.type, e.tenant, e.version, e.time, e.data, \
             e.stream{id}{metadata}{stream} FROM lantern_events e{join} \
             WHERE e.position > ?1 AND e.position <= ?2{condition} ORDER BY e.position"
        )
    }

    pub(super) fn push_rest(
        self,
        row: &Row<'_>,
        batch: &mut EventBatch,
    ) -> Result<(), SourceError> {
        batch.positions.push(row.get::<_, i64>(0)? as u64);
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
pub(super) fn push_text(text: &str, all: &mut String, ends: &mut Vec<u32>) {
    all.push_str(text);
    ends.push(all.len() as u32);
}

/// The text of a column, `""` for null.
#[inline]
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, SourceError> {
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

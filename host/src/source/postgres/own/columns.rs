//! The columns of a page's rows, and how they get into a batch.
//!
//! The values are taken as they come over the wire: asking the driver to decode
//! them takes half as long again.

use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};

use crate::model::{Envelope, EventBatch, EventFilter};

/// Where each column stands. Position, version, time, type, tenant, text and binary
/// payload are always there, as 0 to 6.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    stream: Option<usize>,
    id: Option<usize>,
    metadata: Option<usize>,
    stream_name: Option<usize>,
}

/// What says whether a stream has a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamVersion {
    pub(super) stream: u64,
    pub(super) version: u64,
}

impl Columns {
    pub(super) fn of(filter: &EventFilter, needs: Envelope) -> Self {
        let mut next = 7;
        let mut place = |is_asked: bool| {
            is_asked.then(|| {
                next += 1;
                next - 1
            })
        };
        Self {
            // With a filter by type, holes are looked for otherwise.
            stream: place(filter.types.is_empty()),
            id: place(needs.ids),
            metadata: place(needs.metadata),
            stream_name: place(needs.streams),
        }
    }

    /// The list of columns, for events that go by `e`.
    pub(super) fn select(self, streams: &str) -> String {
        let mut list =
            String::from("e.position, e.version, e.time, e.type, e.tenant, e.data, e.data_binary");
        let names = [
            (self.stream, ", e.stream"),
            (self.id, ", e.id"),
            (self.metadata, ", e.metadata"),
        ];
        for (_, name) in names.into_iter().filter(|(place, _)| place.is_some()) {
            list += name;
        }
        if self.stream_name.is_some() {
            // Not a join, which might come out of order.
            list += &format!(", (SELECT s.name FROM {streams} s WHERE s.id = e.stream)");
        }
        list
    }

    /// Adds a row to a batch; the numbers of types and tenants stay numbers.
    pub(super) fn push(
        self,
        row: &PgRow,
        batch: &mut EventBatch,
    ) -> Result<Option<StreamVersion>, sqlx::Error> {
        let version = int8(row, 1)? as u64;
        batch.positions.push(int8(row, 0)? as u64);
        batch.versions.push(version);
        batch.times.push(int8(row, 2)?);
        batch.types.push(int4(row, 3)? as u32);
        batch.tenants.push(int4(row, 4)? as u32);
        push_data(row, batch)?;
        if let Some(column) = self.id {
            push_text(row, column, &mut batch.ids, &mut batch.id_ends)?;
        }
        if let Some(column) = self.metadata {
            push_text(row, column, &mut batch.metadata, &mut batch.metadata_ends)?;
        }
        if let Some(column) = self.stream_name {
            push_text(row, column, &mut batch.streams, &mut batch.stream_ends)?;
        }
        let stream = self.stream.map(|column| int8(row, column)).transpose()?;
        Ok(stream.map(|stream| StreamVersion {
            stream: stream as u64,
            version,
        }))
    }
}

fn push_data(row: &PgRow, batch: &mut EventBatch) -> Result<(), sqlx::Error> {
    if let Some(bytes) = bytes(row, 6)? {
        // The first binary payload: all before it had none.
        batch
            .binary_ends
            .resize(batch.data_ends.len(), batch.binary.len() as u32);
        batch.binary.extend_from_slice(bytes);
        batch.binary_ends.push(batch.binary.len() as u32);
        batch.data_ends.push(batch.data.len() as u32);
        return Ok(());
    }
    push_text(row, 5, &mut batch.data, &mut batch.data_ends)?;
    if !batch.binary_ends.is_empty() {
        batch.binary_ends.push(batch.binary.len() as u32);
    }
    Ok(())
}

/// Adds the text of a column, `""` for null.
#[inline]
fn push_text(
    row: &PgRow,
    column: usize,
    all: &mut String,
    ends: &mut Vec<u32>,
) -> Result<(), sqlx::Error> {
    let bytes = bytes(row, column)?.unwrap_or_default();
    all.push_str(std::str::from_utf8(bytes).map_err(|error| damaged(column, error.into()))?);
    ends.push(all.len() as u32);
    Ok(())
}

#[inline]
fn bytes(row: &PgRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(None);
    }
    value
        .as_bytes()
        .map(Some)
        .map_err(|error| damaged(column, error))
}

#[inline]
fn int8(row: &PgRow, column: usize) -> Result<i64, sqlx::Error> {
    fixed(row, column).map(i64::from_be_bytes)
}

#[inline]
fn int4(row: &PgRow, column: usize) -> Result<i32, sqlx::Error> {
    fixed(row, column).map(i32::from_be_bytes)
}

#[inline]
fn fixed<const N: usize>(row: &PgRow, column: usize) -> Result<[u8; N], sqlx::Error> {
    let bytes = bytes(row, column)?.unwrap_or_default();
    bytes.try_into().map_err(|_| {
        damaged(
            column,
            format!("it has {} bytes and not {N}", bytes.len()).into(),
        )
    })
}

#[cold]
fn damaged(column: usize, source: Box<dyn std::error::Error + Send + Sync>) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source,
    }
}

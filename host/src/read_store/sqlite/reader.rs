//! Reads single rows by their keys.

use rusqlite::{Connection, TransactionBehavior};

use super::error::{is_no_table_for_rows, row_failed};
use super::statements::{TableStatements, keep_prepared};
use super::value;
use crate::model::{GenerationId, Row, Table, Value};
use crate::read_store::{RowReader, StoreError};

/// Reads rows of one generation, over a connection of its own.
pub(super) struct SqliteRowReader {
    connection: Connection,
    generation: GenerationId,
    tables: Vec<TableStatements>,
}

impl SqliteRowReader {
    pub(super) fn new(connection: Connection, generation: GenerationId, tables: &[Table]) -> Self {
        keep_prepared(&connection, tables.len());
        let tables = tables
            .iter()
            .map(|table| TableStatements::new(generation, table))
            .collect();
        Self {
            connection,
            generation,
            tables,
        }
    }
}

impl RowReader for SqliteRowReader {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let table = &self.tables[table];
        // One transaction for all keys: beginning one costs as much as a look-up.
        let read = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .and_then(|transaction| get_all(&transaction, table, keys));
        read.map_err(|error| match is_no_table_for_rows(&error) {
            true => StoreError::NoGeneration(self.generation),
            false => row_failed(error),
        })
    }
}

/// The rows with these keys, within one snapshot.
pub(super) fn get_all(
    connection: &Connection,
    table: &TableStatements,
    keys: &[Vec<Value>],
) -> rusqlite::Result<Vec<Option<Row>>> {
    let mut get = connection.prepare_cached(&table.get)?;
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        table.bind_key(&mut get, key.iter())?;
        let mut found = get.raw_query();
        rows.push(
            found
                .next()?
                .map(|row| read_row(&table.table, row))
                .transpose()?,
        );
    }
    Ok(rows)
}

fn read_row(table: &Table, stored: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (i, column) in table.columns.iter().enumerate() {
        let cell = stored.get_ref(i)?;
        values.push(value::read(cell, column.column_type).ok_or_else(|| {
            rusqlite::Error::InvalidColumnType(i, column.name.clone(), cell.data_type())
        })?);
    }
    let hidden = values.len();
    Ok(Row {
        values,
        version: if table.guarded {
            stored.get::<_, i64>(hidden)? as u64
        } else {
            0
        },
        deleted: table.guarded && stored.get(hidden + 1)?,
    })
}

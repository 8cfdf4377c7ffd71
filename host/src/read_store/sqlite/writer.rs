//! Commits rows and checkpoint in one transaction.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::error::{not_unique_message, row_failed};
use super::records::read_state;
use super::statements::{TableStatements, keep_prepared};
use super::value::bind;
use super::{dead_letters, waiting};
use crate::model::{
    Changes, Checkpoint, Epoch, GenerationId, Index, Position, Row, Table, TableChanges,
};
use crate::read_store::checkpoint::{Standing, moved, refusal};
use crate::read_store::rows::in_key_order;
use crate::read_store::schema::{has_unique_index, physical_index, shown_columns};
use crate::read_store::{Claim, Committed, StoreError, Writer};

/// Held by whoever of this process commits. SQLite alone would keep a second
/// writer waiting by sleeping ever longer; a mutex wakes it at once.
pub(super) type Turn = Arc<Mutex<()>>;

/// Writes one generation, over a connection of its own.
pub(super) struct SqliteWriter {
    connection: Connection,
    turn: Turn,
    rows: RowsWriter,
}

impl SqliteWriter {
    pub(super) fn new(connection: Connection, turn: Turn, claim: &Claim, tables: &[Table]) -> Self {
        keep_prepared(&connection, tables.len());
        Self {
            connection,
            turn,
            rows: RowsWriter::new(claim, tables),
        }
    }
}

impl Writer for SqliteWriter {
    fn commit(
        &mut self,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError> {
        // The mutex guards no data that a panic could have left half-changed.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropped before its commit, be it by an error, the transaction rolls back.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(row_failed)?;
        let written = self.rows.write(&transaction, changes, from, to)?;
        if written == Committed::Stored {
            transaction.commit().map_err(row_failed)?;
        }
        Ok(written)
    }
}

/// Writes one generation within an open transaction.
pub(super) struct RowsWriter {
    generation: GenerationId,
    epoch: Epoch,
    tables: Vec<TableStatements>,
}

impl RowsWriter {
    pub(super) fn new(claim: &Claim, tables: &[Table]) -> Self {
        let tables = tables
            .iter()
            .map(|table| TableStatements::new(claim.generation, table));
        Self {
            generation: claim.generation,
            epoch: claim.epoch,
            tables: tables.collect(),
        }
    }

    /// Writes rows and moves the checkpoint, unless the fence refuses.
    pub(super) fn write(
        &self,
        transaction: &Connection,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError> {
        let (standing, indexed) = read_standing(transaction, self.generation)?;
        if let Some(reason) = refusal(self.generation, self.epoch, from, standing.as_ref()) {
            return Ok(Committed::Fenced(reason));
        }
        for changes in &changes.tables {
            let table = &self.tables[changes.table];
            apply(transaction, table, changes, indexed)
                .map_err(|error| refused(error, self.generation, changes.table, &table.table))?;
        }
        if !changes.dead_letters.is_empty() {
            dead_letters::write(transaction, self.generation, &changes.dead_letters)?;
        }
        if !changes.waiting.is_empty() {
            waiting::write(transaction, self.generation, &changes.waiting)?;
        }
        move_checkpoint(transaction, self.generation, from, to).map_err(row_failed)?;
        Ok(Committed::Stored)
    }
}

/// What is stored about the generation, and whether it may have secondary
/// indexes by now.
pub(super) fn read_standing(
    connection: &Connection,
    generation: GenerationId,
) -> Result<(Option<Standing>, bool), StoreError> {
    const GENERATION: &str =
        "SELECT state, epoch, indexes <> 'none' FROM lantern_generations WHERE id = ?";
    const CHECKPOINT: &str =
        "SELECT partition, position FROM lantern_checkpoints WHERE generation = ?";
    let read = || {
        let mut statement = connection.prepare_cached(GENERATION)?;
        let columns = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, bool>(2)?,
            ))
        };
        let Some(found) = statement.query_row([generation.0], columns).optional()? else {
            return Ok(None);
        };
        let mut statement = connection.prepare_cached(CHECKPOINT)?;
        let partitions = statement.query_map([generation.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                Position(row.get::<_, i64>(1)? as u64),
            ))
        })?;
        let checkpoint =
            Checkpoint::from_partitions(partitions.collect::<rusqlite::Result<Vec<_>>>()?);
        Ok(Some((found, checkpoint)))
    };
    let Some(((state, epoch, indexed), checkpoint)) = read().map_err(row_failed)? else {
        return Ok((None, false));
    };
    let standing = Standing {
        state: read_state(&state)?,
        epoch: Epoch(epoch),
        checkpoint,
    };
    Ok((Some(standing), indexed))
}

fn apply(
    connection: &Connection,
    table: &TableStatements,
    changes: &TableChanges,
    indexed: bool,
) -> rusqlite::Result<()> {
    // Rows come in no particular order. When A gives up a unique value that B
    // takes, B may come first; so no row keeps its former value meanwhile.
    let clear_first = indexed && has_unique_index(&table.table);
    if clear_first || !changes.removes.is_empty() {
        let mut remove = connection.prepare_cached(&table.remove)?;
        for key in &changes.removes {
            table.bind_key(&mut remove, key.iter())?;
            remove.raw_execute()?;
        }
        for row in changes.puts.iter().filter(|_| clear_first) {
            table.bind_key(
                &mut remove,
                table.table.key.iter().map(|&column| &row.values[column]),
            )?;
            remove.raw_execute()?;
        }
    }
    // In the order of the table, neighbours go to the same page while it is at
    // hand. That saves a quarter of a large commit of random keys, and sorting
    // costs next to nothing.
    let mut put = connection.prepare_cached(&table.put)?;
    for row in in_key_order(&table.table, &changes.puts) {
        put_row(&mut put, &table.table, row)?;
    }
    Ok(())
}

fn put_row(put: &mut rusqlite::Statement<'_>, table: &Table, row: &Row) -> rusqlite::Result<()> {
    for (i, (column, value)) in table.columns.iter().zip(&row.values).enumerate() {
        bind(put, i + 1, column.column_type, value)?;
    }
    if table.guarded {
        let hidden = table.columns.len() + 1;
        put.raw_bind_parameter(hidden, row.version as i64)?;
        put.raw_bind_parameter(hidden + 1, row.deleted)?;
    }
    put.raw_execute().map(drop)
}

fn move_checkpoint(
    connection: &Connection,
    generation: GenerationId,
    from: &Checkpoint,
    to: &Checkpoint,
) -> rusqlite::Result<()> {
    // Position 0 is stored too, and left out when the checkpoint is read.
    let mut set = connection.prepare_cached(
        "REPLACE INTO lantern_checkpoints (generation, partition, position) VALUES (?, ?, ?)",
    )?;
    for (partition, position) in moved(from, to) {
        set.execute((generation.0, partition, position as i64))?;
    }
    Ok(())
}

/// Names the table and columns of a unique index that refused a row.
fn refused(
    error: rusqlite::Error,
    generation: GenerationId,
    at: usize,
    table: &Table,
) -> StoreError {
    let Some(message) = not_unique_message(&error) else {
        return row_failed(error);
    };
    let index = table.indexes.iter().enumerate().find(|(i, index)| {
        // SQLite names an index on expressions, else the columns.
        let name = format!("'{}'", physical_index(generation, at, *i));
        message.contains(&name) || (index.is_unique() && names_columns(message, table, index))
    });
    StoreError::NotUnique {
        table: table.name.clone(),
        columns: index.map_or_else(
            || message.to_owned(),
            |(_, index)| shown_columns(table, index),
        ),
    }
}

/// Whether a message such as `UNIQUE constraint failed: t.a, t.b` is about the
/// columns of this index.
fn names_columns(message: &str, table: &Table, index: &Index) -> bool {
    let (_, list) = message.split_once(": ").unwrap_or_default();
    let named = list
        .split(", ")
        .map(|entry| entry.rsplit_once('.').map_or(entry, |(_, column)| column));
    named.eq(index
        .columns
        .iter()
        .map(|part| table.columns[part.column].name.as_str()))
}

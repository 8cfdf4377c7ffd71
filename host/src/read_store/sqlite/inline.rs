//! Rows written and read within an append to the same file.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{is_no_table_for_rows, row_failed};
use super::reader::get_all;
use super::statements::TableStatements;
use super::writer::{RowsWriter, read_standing};
use crate::model::{
    Changes, Checkpoint, Digest, Epoch, GenerationId, ProjectorName, Row, Table, Value,
};
use crate::read_store::stored::read_word;
use crate::read_store::{
    Claim, Committed, InlineStanding, RowReader, StoreError, Writer, elsewhere,
};
use crate::transaction::{SharedConnection, SharedTransaction};

/// Statements kept prepared on the connection that appends, beside its own: for
/// about fifty tables.
const PREPARED_STATEMENTS: usize = 256;

/// The connection of a transaction that is in a SQLite file.
pub(super) fn connection(transaction: &SharedTransaction) -> Result<SharedConnection, StoreError> {
    match transaction {
        SharedTransaction::Sqlite(connection) => Ok(connection.clone()),
        SharedTransaction::Postgres(_) => Err(elsewhere()),
    }
}

/// See `ReadStore::inline_standing`. The file has one writer, and that is the
/// transaction's: there is nothing more to lock.
pub(super) fn standing(
    connection: &Connection,
    name: &ProjectorName,
) -> Result<Option<InlineStanding>, StoreError> {
    const LIVE: &str = "SELECT g.id, g.digest, p.wanted, \
         (SELECT count(*) FROM lantern_dead_letters d WHERE d.generation = g.id) \
         FROM lantern_generations g JOIN lantern_projectors p ON p.name = g.projector \
         WHERE g.projector = ?1 AND g.state = 'live'";
    let found = connection
        .prepare_cached(LIVE)
        .and_then(|mut find| {
            find.query_row(params![name.as_str()], |row| {
                Ok((
                    GenerationId(row.get(0)?),
                    Digest(row.get(1)?),
                    row.get::<_, String>(2)?,
                    row.get::<_, i64>(3)? as u64,
                ))
            })
            .optional()
        })
        .map_err(row_failed)?;
    let Some((generation, digest, wanted, dead_letters)) = found else {
        return Ok(None);
    };
    let (standing, _) = read_standing(connection, generation)?;
    let (epoch, checkpoint) = standing.map_or((Epoch(0), Checkpoint::start()), |standing| {
        (standing.epoch, standing.checkpoint)
    });
    Ok(Some(InlineStanding {
        claim: Claim {
            generation,
            epoch,
            checkpoint,
            is_empty: false,
        },
        digest,
        wanted: read_word(&wanted)?,
        dead_letters,
    }))
}

/// Writes one generation in another's transaction.
pub(super) struct SqliteInlineWriter {
    connection: SharedConnection,
    rows: RowsWriter,
}

impl SqliteInlineWriter {
    pub(super) fn new(connection: SharedConnection, claim: &Claim, tables: &[Table]) -> Self {
        connection
            .lock()
            .set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        Self {
            connection,
            rows: RowsWriter::new(claim, tables),
        }
    }
}

impl Writer for SqliteInlineWriter {
    fn commit(
        &mut self,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError> {
        self.rows.write(&self.connection.lock(), changes, from, to)
    }
}

/// Reads rows in another's transaction.
pub(super) struct SqliteInlineRowReader {
    connection: SharedConnection,
    generation: GenerationId,
    tables: Vec<TableStatements>,
}

impl SqliteInlineRowReader {
    pub(super) fn new(
        connection: SharedConnection,
        generation: GenerationId,
        tables: &[Table],
    ) -> Self {
        let tables = tables
            .iter()
            .map(|table| TableStatements::new(generation, table));
        Self {
            connection,
            generation,
            tables: tables.collect(),
        }
    }
}

impl RowReader for SqliteInlineRowReader {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let read = get_all(&self.connection.lock(), &self.tables[table], keys);
        read.map_err(|error| match is_no_table_for_rows(&error) {
            true => StoreError::NoGeneration(self.generation),
            false => row_failed(error),
        })
    }
}

//! The first rows of a generation.
//!
//! Its tables have no key yet, so that the first commit, which is a large one
//! when there is a log to catch up with, can copy its rows in and make the keys
//! of all of them at once, in the same transaction. From then on the keys are
//! there. The record of the progress says whether they are, and changes with
//! them: a crash leaves either all or nothing.

use sqlx::Connection as _;
use sqlx::postgres::{PgArguments, PgConnection};

use super::binary::write_row;
use super::change::{begin_patiently, execute};
use super::error::{failed, rows_failed};
use super::fence::{Step, fence};
use super::space::Space;
use super::statements::{Fenced, TableStatements};
use super::writer::{PostgresWriter, has_rows, run};
use super::{ddl, dead_letters, waiting};
use crate::model::{Changes, GenerationId, Row};
use crate::read_store::StoreError;
use crate::read_store::rows::in_key_order;

/// Rows from which on it is worth to copy them. Of fewer, which go in one packet,
/// the end of the copy waits some 40 ms over TCP, as the driver's small messages
/// are held back for an acknowledgement.
const COPY_FROM: usize = 1_000;

/// What stands before the rows of a copy: a signature, no flags, no extension.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What stands behind them.
const COPY_TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Whether the tables of a generation have their keys; of one that is gone, the
/// fence will tell.
pub(super) async fn is_keyed(
    connection: &mut PgConnection,
    space: &Space,
    generation: GenerationId,
) -> Result<bool, StoreError> {
    let keyed: Option<bool> =
        sqlx::query_scalar(space.sql("SELECT keyed FROM lantern.progress WHERE generation = $1"))
            .bind(generation.0)
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    Ok(keyed.unwrap_or(true))
}

/// Commits the first rows; false when the fence refused.
pub(super) async fn fill(
    writer: &PostgresWriter,
    connection: &mut PgConnection,
    changes: &Changes,
    step: &Step,
) -> Result<bool, StoreError> {
    let mut transaction = connection
        .begin_with(begin_patiently())
        .await
        .map_err(failed)?;
    if !fill_within(writer, &mut transaction, changes, step).await? {
        return Ok(false);
    }
    transaction.commit().await.map_err(failed)?;
    Ok(true)
}

/// Writes the first rows in an open transaction; false when the fence refused.
pub(super) async fn fill_within(
    writer: &PostgresWriter,
    transaction: &mut PgConnection,
    changes: &Changes,
    step: &Step,
) -> Result<bool, StoreError> {
    let generation = writer.generation;
    let fence = fence(&writer.space, ", keyed = true");
    if !step.take(transaction, fence.into()).await? {
        return Ok(false);
    }
    // There is nothing that could be removed.
    for changes in changes.tables.iter().filter(has_rows) {
        let table = &writer.tables[changes.table];
        let rows = in_key_order(&table.table, &changes.puts);
        let put = if rows.len() < COPY_FROM {
            put(transaction, table, &rows).await
        } else {
            copy(transaction, table, &rows).await
        };
        put.map_err(|error| rows_failed(error, generation, changes.table, &table.table))?;
    }
    for (at, table) in writer.tables.iter().enumerate() {
        let key = ddl::create_key(&writer.space, generation, at, &table.table);
        let made = execute(transaction, key).await;
        made.map_err(|error| rows_failed(error, generation, at, &table.table))?;
    }
    let letters = &changes.dead_letters;
    dead_letters::write(transaction, &writer.space, generation, letters).await?;
    waiting::write(transaction, &writer.space, generation, &changes.waiting).await?;
    Ok(true)
}

async fn put(
    connection: &mut PgConnection,
    table: &TableStatements,
    rows: &[&Row],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut values = PgArguments::default();
    let bound = table.bind_rows(&mut values, rows);
    bound.map_err(sqlx::Error::Encode)?;
    run(connection, table.put(1, Fenced::Before, false), values).await
}

async fn copy(
    connection: &mut PgConnection,
    table: &TableStatements,
    rows: &[&Row],
) -> Result<(), sqlx::Error> {
    let mut data = COPY_HEADER.to_vec();
    for row in rows {
        let written = write_row(&mut data, &table.types, row, table.table.guarded);
        written.map_err(sqlx::Error::Encode)?;
    }
    data.extend(COPY_TRAILER);
    let mut copying = connection.copy_in_raw(&table.copy()).await?;
    copying.send(data).await?;
    copying.finish().await.map(drop)
}

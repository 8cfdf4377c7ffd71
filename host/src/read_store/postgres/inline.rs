//! Rows written and read within an append to the same database.

use sqlx::AssertSqlSafe;

use super::error::failed;
use super::fence::{Step, refused};
use super::reader::PostgresRowReader;
use super::space::Space;
use super::writer::PostgresWriter;
use crate::model::{
    Changes, Checkpoint, Digest, Epoch, GenerationId, ProjectorName, Row, Table, Value,
};
use crate::read_store::stored::{read_json, read_word};
use crate::read_store::{
    Claim, Committed, Durability, InlineStanding, RowReader, StoreError, Writer, elsewhere,
};
use crate::transaction::{PostgresTransaction, SharedTransaction};

/// Generation, digest, wanted state, epoch, checkpoint, number of dead letters.
type Found = (i64, String, String, i64, String, i64);

/// The transaction, if it is in a PostgreSQL database.
pub(super) fn within(transaction: &SharedTransaction) -> Result<PostgresTransaction, StoreError> {
    match transaction {
        SharedTransaction::Postgres(transaction) => Ok(transaction.clone()),
        SharedTransaction::Sqlite(_) => Err(elsewhere()),
    }
}

/// See `ReadStore::inline_standing`. Whoever works on the generation otherwise
/// moves its checkpoint in this row, too, and waits.
///
/// The locks are taken in the order in which a swap takes them.
pub(super) fn standing(
    space: &Space,
    transaction: &PostgresTransaction,
    name: &ProjectorName,
) -> Result<Option<InlineStanding>, StoreError> {
    let lock = space.sql(
        "SELECT g.id, g.digest, p.wanted, r.epoch, r.checkpoint::text, \
         (SELECT count(*) FROM lantern.dead_letters d WHERE d.generation = g.id) \
         FROM lantern.generations g JOIN lantern.projectors p ON p.name = g.projector \
         JOIN lantern.progress r ON r.generation = g.id \
         WHERE g.projector = $1 AND g.state = 'live' FOR SHARE OF g FOR UPDATE OF r",
    );
    let ask = async || -> Result<Option<Found>, StoreError> {
        let mut connection = transaction.lock().await;
        sqlx::query_as(AssertSqlSafe(lock.0.clone()))
            .bind(name.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed)
    };
    let found = transaction.database().block_on(async {
        match ask().await? {
            // Whoever waited for a swap finds that the generation is not live any
            // more. Which one is, the next statement sees.
            None => ask().await,
            found => Ok(found),
        }
    })?;
    let Some((id, digest, wanted, epoch, checkpoint, dead_letters)) = found else {
        return Ok(None);
    };
    Ok(Some(InlineStanding {
        claim: Claim {
            generation: GenerationId(id),
            epoch: Epoch(epoch),
            checkpoint: read_json(&checkpoint)?,
            is_empty: false,
        },
        digest: Digest(digest),
        wanted: read_word(&wanted)?,
        dead_letters: dead_letters as u64,
    }))
}

/// Writes one generation in another's transaction.
pub(super) struct PostgresInlineWriter {
    transaction: PostgresTransaction,
    writer: PostgresWriter,
}

impl PostgresInlineWriter {
    pub(super) fn new(
        space: &Space,
        transaction: PostgresTransaction,
        claim: &Claim,
        tables: &[Table],
    ) -> Self {
        // How certain the commit is, is for the append to say: never less.
        let space = Space {
            durability: Durability::Full,
            ..space.clone()
        };
        Self {
            transaction,
            writer: PostgresWriter::new(space, claim, tables),
        }
    }
}

impl Writer for PostgresInlineWriter {
    fn commit(
        &mut self,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError> {
        let Self {
            transaction,
            writer,
        } = self;
        transaction.database().block_on(async {
            let mut connection = transaction.lock().await;
            let step = Step::new(writer.generation, writer.epoch, from, to)?;
            if writer.write_within(&mut connection, changes, &step).await? {
                return Ok(Committed::Stored);
            }
            refused(&mut connection, &writer.space, &step, from).await
        })
    }
}

/// Reads rows in another's transaction.
pub(super) struct PostgresInlineRowReader {
    transaction: PostgresTransaction,
    reader: PostgresRowReader,
}

impl PostgresInlineRowReader {
    pub(super) fn new(
        space: Space,
        transaction: PostgresTransaction,
        generation: GenerationId,
        tables: &[Table],
    ) -> Self {
        Self {
            transaction,
            reader: PostgresRowReader::new(space, generation, tables),
        }
    }
}

impl RowReader for PostgresInlineRowReader {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let Self {
            transaction,
            reader,
        } = self;
        transaction.database().block_on(async {
            let mut connection = transaction.lock().await;
            reader.get_on(&mut connection, table, keys).await
        })
    }
}

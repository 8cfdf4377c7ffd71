//! Commits rows and checkpoint in one transaction.
//!
//! A commit is one statement, and one round trip: the fence moves the checkpoint
//! and brings a row, or brings none, and then nothing else in the statement finds
//! anything to write. Statements that fail because of a row are done again in
//! steps, which takes longer and tells more: which table it was, and whether the
//! rows are at odds with each other only on the way (one takes the unique value
//! that another gives up).

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::change::begin_patiently;
use super::error::{failed, is_about_rows, is_no_table, rows_failed};
use super::fence::{FENCE_PARAMETERS, Step, fence, refused};
use super::fill;
use super::space::Space;
use super::statements::{Fenced, TableStatements};
use super::{dead_letters, waiting};
use crate::model::{Changes, Checkpoint, Epoch, GenerationId, Row, Table, TableChanges};
use crate::read_store::rows::in_key_order;
use crate::read_store::schema::has_unique_index;
use crate::read_store::{Claim, Committed, StoreError, Writer};

/// Texts of whole commits that a writer keeps, and with it each connection: one
/// for each combination of tables that a projector changes at once. Beyond that a
/// commit goes in steps, whose statements are one or two for each table.
const MOST_TEXTS: usize = 32;

/// Which tables a commit writes rows to and removes rows from.
type Shape = Vec<(usize, bool, bool)>;

/// Writes one generation.
pub(super) struct PostgresWriter {
    pub(super) space: Space,
    pub(super) generation: GenerationId,
    pub(super) epoch: Epoch,
    pub(super) tables: Vec<TableStatements>,
    /// Whether the tables have their keys, as far as is known.
    keyed: bool,
    texts: HashMap<Shape, Arc<str>>,
    fence: Arc<str>,
}

impl PostgresWriter {
    pub(super) fn new(space: Space, claim: &Claim, tables: &[Table]) -> Self {
        let tables = tables
            .iter()
            .map(|table| TableStatements::new(&space, claim.generation, table));
        Self {
            generation: claim.generation,
            epoch: claim.epoch,
            tables: tables.collect(),
            keyed: false,
            texts: HashMap::new(),
            fence: fence(&space, "").into(),
            space,
        }
    }
}

impl Writer for PostgresWriter {
    fn commit(
        &mut self,
        changes: &Changes,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Committed, StoreError> {
        let database = self.space.database.clone();
        database.block_on(async {
            let mut connection = database.pool().acquire().await.map_err(failed)?;
            let step = Step::new(self.generation, self.epoch, from, to)?;
            if self.store(&mut connection, changes, &step).await? {
                return Ok(Committed::Stored);
            }
            refused(&mut connection, &self.space, &step, from).await
        })
    }
}

impl PostgresWriter {
    /// Stores rows and checkpoint; false when the fence refused.
    async fn store(
        &mut self,
        connection: &mut PgConnection,
        changes: &Changes,
        step: &Step,
    ) -> Result<bool, StoreError> {
        if !changes.is_empty() && !self.keyed {
            self.keyed = fill::is_keyed(connection, &self.space, self.generation).await?;
            if !self.keyed {
                self.keyed = fill::fill(self, connection, changes, step).await?;
                return Ok(self.keyed);
            }
        }
        if !changes.dead_letters.is_empty() || !changes.waiting.is_empty() {
            return self.in_steps(connection, changes, step).await;
        }
        let Some(text) = self.text(changes) else {
            return self.in_steps(connection, changes, step).await;
        };
        match self.at_once(connection, text, changes, step).await {
            Ok(stored) => Ok(stored),
            Err(error) if is_about_rows(&error) => self.in_steps(connection, changes, step).await,
            // Dropped with its generation, as will be told.
            Err(error) if is_no_table(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Commits with one statement; false when the fence refused.
    async fn at_once(
        &self,
        connection: &mut PgConnection,
        text: Arc<str>,
        changes: &Changes,
        step: &Step,
    ) -> Result<bool, sqlx::Error> {
        let mut arguments = step.arguments().map_err(sqlx::Error::Encode)?;
        for changes in changes.tables.iter().filter(has_rows) {
            let table = &self.tables[changes.table];
            if !changes.puts.is_empty() {
                let rows = in_key_order(&table.table, &changes.puts);
                let bound = table.bind_rows(&mut arguments, &rows);
                bound.map_err(sqlx::Error::Encode)?;
            }
            if !changes.removes.is_empty() {
                let bound = table.bind_keys(&mut arguments, &changes.removes);
                bound.map_err(sqlx::Error::Encode)?;
            }
        }
        let fences: i64 = sqlx::query_scalar_with(AssertSqlSafe(text), arguments)
            .fetch_one(connection)
            .await?;
        Ok(fences > 0)
    }

    /// Commits with one statement or a few for each table; false when the fence
    /// refused.
    async fn in_steps(
        &self,
        connection: &mut PgConnection,
        changes: &Changes,
        step: &Step,
    ) -> Result<bool, StoreError> {
        let mut transaction = connection
            .begin_with(begin_patiently())
            .await
            .map_err(failed)?;
        if !self.steps(&mut transaction, changes, step).await? {
            return Ok(false);
        }
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// Writes in an open transaction, with a statement or a few for each table;
    /// false when the fence refused.
    async fn steps(
        &self,
        transaction: &mut PgConnection,
        changes: &Changes,
        step: &Step,
    ) -> Result<bool, StoreError> {
        if !step.take(transaction, self.fence.clone()).await? {
            return Ok(false);
        }
        // No row keeps its former value while another may come to need it.
        for changes in changes.tables.iter().filter(has_rows) {
            let table = &self.tables[changes.table];
            let rows = in_key_order(&table.table, &changes.puts);
            let applied = apply(transaction, table, changes, &rows).await;
            applied.map_err(|error| {
                rows_failed(error, self.generation, changes.table, &table.table)
            })?;
        }
        let letters = &changes.dead_letters;
        dead_letters::write(transaction, &self.space, self.generation, letters).await?;
        waiting::write(transaction, &self.space, self.generation, &changes.waiting).await?;
        Ok(true)
    }

    /// Writes in a transaction that another has opened and will end; false when
    /// the fence refused.
    pub(super) async fn write_within(
        &mut self,
        connection: &mut PgConnection,
        changes: &Changes,
        step: &Step,
    ) -> Result<bool, StoreError> {
        if !changes.is_empty() && !self.keyed {
            self.keyed = fill::is_keyed(connection, &self.space, self.generation).await?;
            if !self.keyed {
                self.keyed = fill::fill_within(self, connection, changes, step).await?;
                return Ok(self.keyed);
            }
        }
        // An error ends the other's transaction, so there is no second try in steps:
        // one statement only where it is clear whose rows it is about.
        let mut changed = changes.tables.iter().filter(has_rows);
        let only = match (changed.next(), changed.next()) {
            (Some(only), None) => Some(only.table),
            _ => None,
        };
        let only = only.filter(|&at| {
            !has_unique_index(&self.tables[at].table) && changes.dead_letters.is_empty()
        });
        let text = only.and_then(|at| Some((at, self.text(changes)?)));
        match text {
            Some((at, text)) => self
                .at_once(connection, text, changes, step)
                .await
                .map_err(|error| rows_failed(error, self.generation, at, &self.tables[at].table)),
            None => self.steps(connection, changes, step).await,
        }
    }

    /// The text of a commit of this shape, unless there are too many already.
    fn text(&mut self, changes: &Changes) -> Option<Arc<str>> {
        let shape: Shape = changes
            .tables
            .iter()
            .filter(has_rows)
            .map(|t| (t.table, !t.puts.is_empty(), !t.removes.is_empty()))
            .collect();
        if let Some(text) = self.texts.get(&shape) {
            return Some(text.clone());
        }
        if self.texts.len() >= MOST_TEXTS {
            return None;
        }
        let mut sql = format!("WITH fence AS ({})", self.fence);
        let mut next = FENCE_PARAMETERS + 1;
        for &(at, puts, removes) in &shape {
            let table = &self.tables[at];
            if puts {
                let put = table.put(next, Fenced::Within, true);
                sql += &format!(", put{at} AS ({put})");
                next += table.put_parameters();
            }
            if removes {
                let remove = table.remove(next, Fenced::Within);
                sql += &format!(", remove{at} AS ({remove})");
                next += table.remove_parameters();
            }
        }
        sql += " SELECT count(*) FROM fence";
        let text: Arc<str> = sql.into();
        self.texts.insert(shape, text.clone());
        Some(text)
    }
}

pub(super) fn has_rows(changes: &&TableChanges) -> bool {
    !changes.puts.is_empty() || !changes.removes.is_empty()
}

async fn apply(
    connection: &mut PgConnection,
    table: &TableStatements,
    changes: &TableChanges,
    rows: &[&Row],
) -> Result<(), sqlx::Error> {
    if !changes.removes.is_empty() {
        let mut keys = PgArguments::default();
        let bound = table.bind_keys(&mut keys, &changes.removes);
        bound.map_err(sqlx::Error::Encode)?;
        run(connection, table.remove(1, Fenced::Before), keys).await?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    if has_unique_index(&table.table) {
        let mut keys = PgArguments::default();
        let bound = table.bind_keys_of(&mut keys, rows);
        bound.map_err(sqlx::Error::Encode)?;
        run(connection, table.remove(1, Fenced::Before), keys).await?;
    }
    let mut values = PgArguments::default();
    let bound = table.bind_rows(&mut values, rows);
    bound.map_err(sqlx::Error::Encode)?;
    run(connection, table.put(1, Fenced::Before, true), values).await
}

/// Runs a statement that comes again and again.
pub(super) async fn run(
    connection: &mut PgConnection,
    sql: String,
    arguments: PgArguments,
) -> Result<(), sqlx::Error> {
    sqlx::query_with(AssertSqlSafe(sql), arguments)
        .execute(connection)
        .await
        .map(drop)
}

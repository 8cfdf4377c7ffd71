//! Reads single rows by their keys.

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::binary::read;
use super::error::{failed, is_no_table, rows_failed};
use super::space::Space;
use super::statements::TableStatements;
use crate::model::{GenerationId, Row, Table, Value};
use crate::read_store::{RowReader, StoreError};

/// Keys in one statement. For more the server, which guesses high, would begin
/// to compile machine code, which takes longer than the answer.
const MOST_KEYS: usize = 5_000;

/// Reads rows of one generation.
pub(super) struct PostgresRowReader {
    space: Space,
    generation: GenerationId,
    tables: Vec<TableStatements>,
}

impl PostgresRowReader {
    pub(super) fn new(space: Space, generation: GenerationId, tables: &[Table]) -> Self {
        let tables = tables
            .iter()
            .map(|table| TableStatements::new(&space, generation, table))
            .collect();
        Self {
            space,
            generation,
            tables,
        }
    }
}

impl RowReader for PostgresRowReader {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.space.database.block_on(async {
            let mut connection = self.space.pool().acquire().await.map_err(failed)?;
            self.get_on(&mut connection, table, keys).await
        })
    }
}

impl PostgresRowReader {
    /// Reads rows over a connection that may have a transaction open.
    pub(super) async fn get_on(
        &self,
        connection: &mut PgConnection,
        table: usize,
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        if keys.iter().any(|key| is_impossible(key)) {
            // To ask would end the transaction that there may be.
            let (places, possible): (Vec<_>, Vec<_>) = keys
                .iter()
                .cloned()
                .enumerate()
                .filter(|(_, key)| !is_impossible(key))
                .unzip();
            let found = Box::pin(self.get_on(connection, table, &possible)).await?;
            let mut rows = vec![None; keys.len()];
            for (place, row) in places.into_iter().zip(found) {
                rows[place] = row;
            }
            return Ok(rows);
        }
        let statements = &self.tables[table];
        let mut rows = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            let found = get(connection, statements, keys).await;
            rows.extend(found.map_err(|error| match is_no_table(&error) {
                true => StoreError::NoGeneration(self.generation),
                false => rows_failed(error, self.generation, table, &statements.table),
            })?);
        }
        Ok(rows)
    }
}

/// Whether no row can have the key: PostgreSQL has no text with a U+0000.
fn is_impossible(key: &[Value]) -> bool {
    key.iter()
        .any(|value| matches!(value, Value::Text(text) if text.contains('\0')))
}

async fn get(
    connection: &mut PgConnection,
    statements: &TableStatements,
    keys: &[Vec<Value>],
) -> Result<Vec<Option<Row>>, sqlx::Error> {
    let mut arguments = PgArguments::default();
    statements
        .bind_keys(&mut arguments, keys)
        .map_err(sqlx::Error::Encode)?;
    let found = sqlx::query_with(AssertSqlSafe(statements.get.clone()), arguments)
        .fetch_all(connection)
        .await?;
    let mut rows = vec![None; keys.len()];
    for row in &found {
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place - 1).ok();
        let slot = place.and_then(|place| rows.get_mut(place));
        *slot.ok_or_else(|| sqlx::Error::Decode("it answers what nobody asked".into()))? =
            Some(read_row(statements, row)?);
    }
    Ok(rows)
}

/// Reads a row whose first column stands behind the place.
fn read_row(statements: &TableStatements, row: &PgRow) -> Result<Row, sqlx::Error> {
    let types = statements.types.iter().enumerate();
    let values = types.map(|(i, column_type)| read(row.try_get_raw(i + 1)?, *column_type));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let hidden = values.len() + 1;
    let guarded = statements.table.guarded;
    Ok(Row {
        values,
        version: if guarded {
            row.try_get::<i64, _>(hidden)? as u64
        } else {
            0
        },
        deleted: guarded && row.try_get(hidden + 1)?,
    })
}

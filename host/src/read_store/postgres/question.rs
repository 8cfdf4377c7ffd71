//! Answers questions about a read model.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::binary::{Single, read, sql_type};
use super::error::{failed, is_no_table};
use super::records;
use super::space::Space;
use super::text;
use crate::model::{ColumnType, Generation, GenerationId, Table, Value};
use crate::postgres::{Meaning, meaning};
use crate::read_store::query::CheckedQuery;
use crate::read_store::schema::{DELETED_COLUMN, column_names, quoted, quoted_list};
use crate::read_store::{Answer, Query, StoreError};

/// See `ReadStore::query`.
pub(super) async fn answer(space: &Space, query: &Query) -> Result<Answer, StoreError> {
    let mut gone = None;
    loop {
        let (generation, table, indexed) = find_table(space, query).await?;
        let checked = query.check(&table, indexed)?;
        let sql = AssertSqlSafe(select(space, generation, &table, &checked));
        let arguments = bind(&table, &checked)?;
        let stored = sqlx::query_with(sql, arguments)
            .persistent(false)
            .fetch_all(space.pool())
            .await;
        let stored = match stored {
            Ok(stored) => stored,
            // Two swaps have come in between; there is another live generation.
            Err(error) if is_no_table(&error) && gone != Some(generation) => {
                gone = Some(generation);
                continue;
            }
            Err(error) if meaning(&error) == Meaning::BadValue => {
                return Err(StoreError::BadQuery(format!(
                    "no row of `{}` can have such a value: {error}",
                    table.name
                )));
            }
            Err(error) => return Err(failed(error)),
        };
        let rows = stored.iter().map(|row| read_row(&table, row));
        return Ok(Answer {
            rows: rows.collect::<Result<_, _>>()?,
            table,
        });
    }
}

/// The live generation that has the table. Its physical table is asked, so that
/// description and rows are of the same generation whoever swaps meanwhile.
/// Whether its indexes have been made is told as well.
async fn find_table(
    space: &Space,
    query: &Query,
) -> Result<(GenerationId, Table, bool), StoreError> {
    let records = records::projectors(space).await?;
    let live = records.iter().filter_map(|record| record.live());
    let tables: Vec<(&Generation, &Table)> = live
        .flat_map(|live| {
            live.description
                .tables
                .iter()
                .map(move |table| (live, table))
        })
        .collect();
    match tables.iter().find(|(_, table)| table.name == query.table) {
        Some(&(live, table)) => Ok((live.id, table.clone(), live.indexed)),
        None => Err(query.no_such_table(tables.iter().map(|(_, table)| table.name.as_str()))),
    }
}

fn select(space: &Space, generation: GenerationId, table: &Table, query: &CheckedQuery) -> String {
    let mut conditions: Vec<String> = query
        .conditions
        .iter()
        .enumerate()
        .map(|(i, (column, _))| {
            let column = &table.columns[*column];
            let (name, kind) = (quoted(&column.name), sql_type(column.column_type));
            format!("{name} IS NOT DISTINCT FROM ${}::{kind}", i + 1)
        })
        .collect();
    if table.guarded {
        conditions.push(format!("NOT {}", quoted(DELETED_COLUMN)));
    }
    let mut order = order(table, query);
    let words = text::words(table).filter(|_| !query.words.is_empty());
    if let Some(words) = words {
        let search = text::all_of(&format!("${}", query.conditions.len() + 1));
        if query.by_relevance {
            let rank = format!("pg_catalog.ts_rank({words}, {search}) DESC");
            order.insert(0, rank);
        }
        conditions.push(format!("{words} @@ {search}"));
    }
    let mut sql = format!(
        "SELECT {} FROM {}",
        quoted_list(column_names(table)),
        space.physical(generation, &table.name)
    );
    if !conditions.is_empty() {
        sql += &format!(" WHERE {}", conditions.join(" AND "));
    }
    sql += &format!(" ORDER BY {}", order.join(", "));
    if let Some(limit) = query.limit {
        // The server counts to the greatest bigint.
        sql += &format!(" LIMIT {}", i64::try_from(limit).unwrap_or(i64::MAX));
    }
    sql
}

/// The order, the same as in SQLite: nulls are less than everything, equal
/// decimals go by their zeros, and documents by their text.
fn order(table: &Table, query: &CheckedQuery) -> Vec<String> {
    let order = query.order.iter().flat_map(|&(column, descending)| {
        let name = quoted(&table.columns[column].name);
        let text = format!("{name}::text COLLATE \"C\"");
        let keys = match table.columns[column].column_type {
            ColumnType::Decimal => vec![name, text],
            ColumnType::Json => vec![text],
            _ => vec![name],
        };
        let direction = if descending {
            "DESC NULLS LAST"
        } else {
            "ASC NULLS FIRST"
        };
        keys.into_iter()
            .map(move |key| format!("{key} {direction}"))
    });
    order.collect()
}

fn bind(table: &Table, query: &CheckedQuery) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for (column, value) in &query.conditions {
        let column_type = table.columns[*column].column_type;
        let added = arguments.add(Single { column_type, value });
        added.map_err(|error| failed(sqlx::Error::Encode(error)))?;
    }
    if !query.words.is_empty() {
        let added = arguments.add(query.words.join(" "));
        added.map_err(|error| failed(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

fn read_row(table: &Table, row: &PgRow) -> Result<Vec<Value>, StoreError> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| {
            let stored = row.try_get_raw(at).map_err(failed)?;
            read(stored, column.column_type).map_err(failed)
        })
        .collect()
}

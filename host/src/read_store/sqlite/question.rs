//! Answers questions about a read model.

use sqlx::query::Query as SqlQuery;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::error::failed;
use super::{records, text, timestamp};
use crate::model::{ColumnType, RANK_COLUMN, Table, Value, WORDS_COLUMN};
use crate::read_store::query::CheckedQuery;
use crate::read_store::schema::{column_names, quoted, quoted_list};
use crate::read_store::{Answer, Query, StoreError};

/// See `ReadStore::query`.
pub(super) async fn answer(pool: &SqlitePool, query: &Query) -> Result<Answer, StoreError> {
    // One transaction: description and rows are those of the same generation.
    let mut transaction = pool.begin().await.map_err(failed)?;
    let (table, indexed) = find_table(&mut transaction, query).await?;
    let checked = query.check(&table, indexed)?;
    let sql = sqlx::AssertSqlSafe(select(&table, &checked));
    let mut statement = sqlx::query(sql).persistent(false);
    if !checked.words.is_empty() {
        statement = statement.bind(text::all_of(&checked.words));
    }
    for (column, value) in checked.conditions {
        statement = bind(statement, table.columns[column].column_type, value);
    }
    let stored = statement
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    let rows = stored.iter().map(|row| read_row(&table, row));
    Ok(Answer {
        rows: rows.collect::<Result<_, _>>()?,
        table,
    })
}

/// The table, and whether its indexes have been made.
async fn find_table(
    conn: &mut SqliteConnection,
    query: &Query,
) -> Result<(Table, bool), StoreError> {
    let records = records::projectors(conn).await?;
    let live = records.iter().filter_map(|record| record.live());
    let tables: Vec<(&Table, bool)> = live
        .flat_map(|live| live.description.tables.iter().map(|t| (t, live.indexed)))
        .collect();
    match tables.iter().find(|(table, _)| table.name == query.table) {
        Some(&(table, indexed)) => Ok((table.clone(), indexed)),
        None => Err(query.no_such_table(tables.iter().map(|(table, _)| table.name.as_str()))),
    }
}

fn select(table: &Table, query: &CheckedQuery) -> String {
    let searched = table.text_name().filter(|_| !query.words.is_empty());
    let mut conditions = Vec::new();
    if searched.is_some() {
        conditions.push(format!("{WORDS_COLUMN} MATCH ?"));
    }
    let equal = query.conditions.iter();
    conditions.extend(equal.map(|(column, _)| format!("{} IS ?", comparable(table, *column))));
    let mut sql = format!(
        "SELECT {} FROM {}",
        quoted_list(column_names(table)),
        quoted(searched.as_ref().unwrap_or(&table.name))
    );
    if !conditions.is_empty() {
        sql += &format!(" WHERE {}", conditions.join(" AND "));
    }
    let order = query.order.iter().map(|&(column, descending)| {
        let name = quoted(&table.columns[column].name);
        let direction = if descending { " DESC" } else { "" };
        match table.columns[column].column_type {
            ColumnType::Decimal => format!("CAST({name} AS REAL){direction}, {name}{direction}"),
            _ => format!("{name}{direction}"),
        }
    });
    sql += " ORDER BY ";
    if query.by_relevance {
        sql += &format!("{RANK_COLUMN}, ");
    }
    sql += &order.collect::<Vec<_>>().join(", ");
    if let Some(limit) = query.limit {
        sql += &format!(" LIMIT {limit}");
    }
    sql
}

/// A column in the form in which equal values are equal texts: 0.3 and 0.30 are
/// the same decimal.
fn comparable(table: &Table, column: usize) -> String {
    let name = quoted(&table.columns[column].name);
    match table.columns[column].column_type {
        ColumnType::Decimal => {
            format!("iif(instr({name}, '.'), rtrim(rtrim({name}, '0'), '.'), {name})")
        }
        _ => name,
    }
}

fn bind(
    statement: SqlQuery<'_, Sqlite, SqliteArguments>,
    column_type: ColumnType,
    value: Value,
) -> SqlQuery<'_, Sqlite, SqliteArguments> {
    match value {
        Value::Null => statement.bind(None::<i64>),
        Value::Bool(b) => statement.bind(b),
        Value::Integer(micros) if column_type == ColumnType::Timestamp => {
            statement.bind(timestamp::write(micros, &mut [0; _]).into_owned())
        }
        Value::Integer(i) => statement.bind(i),
        Value::Float(f) => statement.bind(f),
        Value::Text(text) if column_type == ColumnType::Decimal => {
            let number = text.parse::<rust_decimal::Decimal>();
            statement.bind(number.map_or_else(
                |_| text.to_string(),
                |number| number.normalize().to_string(),
            ))
        }
        Value::Text(text) => statement.bind(text.to_string()),
        Value::Bytes(bytes) => statement.bind(bytes.to_vec()),
    }
}

fn read_row(table: &Table, row: &SqliteRow) -> Result<Vec<Value>, StoreError> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| read(row, at, column.column_type).map_err(failed))
        .collect()
}

fn read(row: &SqliteRow, at: usize, column_type: ColumnType) -> Result<Value, sqlx::Error> {
    let value = match column_type {
        ColumnType::Boolean => row
            .try_get::<Option<i64>, _>(at)?
            .map(|i| Value::Bool(i != 0)),
        ColumnType::Integer => row.try_get::<Option<i64>, _>(at)?.map(Value::Integer),
        ColumnType::Float => row.try_get::<Option<f64>, _>(at)?.map(Value::Float),
        ColumnType::Bytes => row
            .try_get::<Option<Vec<u8>>, _>(at)?
            .map(|b| Value::Bytes(b.into())),
        ColumnType::Timestamp => match row.try_get::<Option<&str>, _>(at)? {
            Some(text) => Some(Value::Integer(
                timestamp::read(text).ok_or_else(|| not_a_time(text))?,
            )),
            None => None,
        },
        ColumnType::Decimal | ColumnType::Text | ColumnType::Uuid | ColumnType::Json => row
            .try_get::<Option<String>, _>(at)?
            .map(|text| Value::Text(text.into())),
    };
    Ok(value.unwrap_or(Value::Null))
}

fn not_a_time(text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{text}` is not a time as Lantern writes it").into())
}

//! The rows of a read model as a table, JSON or CSV.

use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::CliError;
use super::output::{self, Column as Shown};
use crate::model::{Column, ColumnType, Timestamp, Value};
use crate::operations::Answer;

/// The rows for people. Null is empty.
pub(super) fn as_table(answer: &Answer) -> String {
    let columns: Vec<Shown<'_>> = answer.table.columns.iter().map(shown_column).collect();
    output::table(&columns, texts(answer).collect())
}

/// The rows as CSV with a header. Null is empty.
pub(super) fn as_csv(answer: &Answer) -> Result<String, CliError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let wrong = |error| CliError::environment("cannot write the rows as CSV", error);
    csv.write_record(answer.table.columns.iter().map(|column| &column.name))
        .map_err(wrong)?;
    for row in texts(answer) {
        csv.write_record(row).map_err(wrong)?;
    }
    let bytes = csv.into_inner().map_err(|error| {
        CliError::environment("cannot write the rows as CSV", error.into_error())
    })?;
    // Every field was text, so the whole is.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The rows as a JSON array of objects, one a line, with columns in order.
pub(super) fn as_json(answer: &Answer) -> Result<String, CliError> {
    let wrong = |error| CliError::environment("cannot write the rows as JSON", error);
    let columns = &answer.table.columns;
    let rows: Result<Vec<String>, _> = answer
        .rows
        .iter()
        .map(|values| serde_json::to_string(&JsonRow { columns, values }))
        .collect();
    Ok(match rows.map_err(wrong)? {
        rows if rows.is_empty() => "[]\n".into(),
        rows => format!("[\n  {}\n]\n", rows.join(",\n  ")),
    })
}

fn shown_column(column: &Column) -> Shown<'_> {
    match column.column_type {
        ColumnType::Integer | ColumnType::Float | ColumnType::Decimal => Shown::Right(&column.name),
        _ => Shown::Left(&column.name),
    }
}

fn texts(answer: &Answer) -> impl Iterator<Item = Vec<String>> {
    let columns = &answer.table.columns;
    let row = |values: &Vec<Value>| {
        columns
            .iter()
            .zip(values)
            .map(|(column, value)| text(column, value))
            .collect()
    };
    answer.rows.iter().map(row)
}

fn text(column: &Column, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Integer(micros) if column.column_type == ColumnType::Timestamp => {
            Timestamp(*micros).to_string()
        }
        Value::Integer(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Text(t) => t.to_string(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

struct JsonRow<'a> {
    columns: &'a [Column],
    values: &'a [Value],
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, value) in self.columns.iter().zip(self.values) {
            match (column.column_type, value) {
                (_, Value::Null) => row.serialize_entry(&column.name, &())?,
                (_, Value::Bool(b)) => row.serialize_entry(&column.name, b)?,
                (ColumnType::Integer, Value::Integer(i)) => row.serialize_entry(&column.name, i)?,
                // JSON has no infinity; as text it is at least not lost.
                (_, Value::Float(f)) if f.is_finite() => row.serialize_entry(&column.name, f)?,
                (ColumnType::Json, Value::Text(json)) => {
                    let json: &RawValue = serde_json::from_str(json).map_err(S::Error::custom)?;
                    row.serialize_entry(&column.name, json)?;
                }
                _ => row.serialize_entry(&column.name, &text(column, value))?,
            }
        }
        row.end()
    }
}

#[cfg(test)]
#[path = "query_output_tests.rs"]
mod tests;

//! Questions about a read model, from a person at a terminal.

use super::error::StoreError;
use super::schema::column_names;
use crate::model::{Cell, ColumnType, Table, Value};

/// A question about one read model.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The read model, by the name readers use.
    pub table: String,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// Words that must all occur in the text index, whatever their case. What
    /// fits best comes first, if no order is given.
    pub search: Option<String>,
    /// Column names and whether they descend; the key when empty. Rows that are
    /// equal in these columns come in the order of the key.
    pub order: Vec<(String, bool)>,
    /// The most rows wanted.
    pub limit: Option<u64>,
}

/// A condition on one column.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// What its value must equal, as a person writes it (bytes in hexadecimal);
    /// `None` is null.
    pub equals: Option<String>,
}

/// The rows that answer a question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The table as described, which names and types the values.
    pub table: Table,
    /// The rows, each with a value for every column.
    pub rows: Vec<Vec<Value>>,
}

/// A question that fits its table: columns as indices, values typed.
#[derive(Debug)]
pub(super) struct CheckedQuery {
    pub(super) conditions: Vec<(usize, Value)>,
    /// Words, each of letters and digits alone; none when nothing is searched.
    pub(super) words: Vec<String>,
    /// Whether what fits best comes first, before any order.
    pub(super) by_relevance: bool,
    pub(super) order: Vec<(usize, bool)>,
    pub(super) limit: Option<u64>,
}

impl Query {
    /// Checks the question against the table that it is about, and whether its
    /// indexes have been made.
    pub(super) fn check(&self, table: &Table, indexed: bool) -> Result<CheckedQuery, StoreError> {
        let words = match &self.search {
            Some(text) => read_words(table, indexed, text)?,
            None => Vec::new(),
        };
        let mut conditions = Vec::new();
        for condition in &self.conditions {
            let column = find_column(table, &condition.column)?;
            let value = match &condition.equals {
                Some(text) => read_value(table, column, text)?,
                None => Value::Null,
            };
            conditions.push((column, value));
        }
        let mut order = Vec::new();
        for (name, descending) in &self.order {
            order.push((find_column(table, name)?, *descending));
        }
        // The key last, so that the same question always has the same answer.
        order.extend(table.key.iter().map(|&column| (column, false)));
        Ok(CheckedQuery {
            conditions,
            by_relevance: !words.is_empty() && self.order.is_empty(),
            words,
            order,
            limit: self.limit,
        })
    }

    /// The refusal of a question about a read model that is not there.
    pub(super) fn no_such_table<'a>(&self, there_are: impl Iterator<Item = &'a str>) -> StoreError {
        let list = there_are.collect::<Vec<_>>().join(", ");
        StoreError::BadQuery(if list.is_empty() {
            format!("there is no read model `{}`, nor any other", self.table)
        } else {
            format!("there is no read model `{}`; there are: {list}", self.table)
        })
    }
}

fn find_column(table: &Table, name: &str) -> Result<usize, StoreError> {
    table
        .columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| {
            let list = column_names(table).collect::<Vec<_>>().join(", ");
            StoreError::BadQuery(format!(
                "table `{}` has no column `{name}`; it has: {list}",
                table.name
            ))
        })
}

/// The words of a search. They are split as both stores split texts, so that
/// nothing in them means anything to the stores' languages of search.
fn read_words(table: &Table, indexed: bool, text: &str) -> Result<Vec<String>, StoreError> {
    let name = &table.name;
    if table.text_index().is_none() {
        return Err(StoreError::BadQuery(format!(
            "read model `{name}` has no text index, so it cannot be searched; its projector \
             declares none"
        )));
    }
    if !indexed {
        return Err(StoreError::BadQuery(format!(
            "the text index of `{name}` is made when its projector has caught up for the first \
             time; `lantern status` shows how far it is"
        )));
    }
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    if words.is_empty() {
        let shown: String = text.chars().take(40).collect();
        return Err(StoreError::BadQuery(format!(
            "`{shown}` has no letter and no digit, so there is no word to search for"
        )));
    }
    Ok(words)
}

fn read_value(table: &Table, column: usize, text: &str) -> Result<Value, StoreError> {
    let column = &table.columns[column];
    let read = match column.column_type {
        ColumnType::Boolean => text.parse().ok().map(Value::Bool),
        ColumnType::Integer => text.parse().ok().map(Value::Integer),
        ColumnType::Float => text
            .parse()
            .ok()
            .filter(|f: &f64| !f.is_nan())
            .map(Value::Float),
        ColumnType::Bytes => read_hex(text).map(Value::Bytes),
        other => other.check(Cell::Text(text)).ok(),
    };
    read.ok_or_else(|| {
        let (name, expected) = (&column.name, expected(column.column_type));
        let shown: String = text.chars().take(40).collect();
        StoreError::BadQuery(format!(
            "column `{name}` holds {expected}, which `{shown}` is not"
        ))
    })
}

fn expected(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Boolean => "`true` or `false`",
        ColumnType::Integer => "an integer",
        ColumnType::Float => "a number",
        ColumnType::Decimal => "a decimal number",
        ColumnType::Text => "text",
        ColumnType::Bytes => "bytes, written as hexadecimal digits",
        ColumnType::Timestamp => "an RFC 3339 time such as 2026-01-31T09:30:00Z",
        ColumnType::Uuid => "a UUID",
        ColumnType::Json => "a JSON document",
    }
}

fn read_hex(text: &str) -> Option<Box<[u8]>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_hexadecimal_digits() {
        assert_eq!(read_hex("00fF").as_deref(), Some(&[0, 255][..]));
        assert_eq!(read_hex("0"), None);
        assert_eq!(read_hex("+1é"), None);
    }
}

//! Values as SQLite takes and gives them.
//!
//! SQLite has no NaN: it would store null. Whoever folds rows refuses NaN before
//! it comes here.

use rusqlite::Statement;
use rusqlite::types::{Null, ValueRef};

use super::timestamp;
use crate::model::{ColumnType, Value};

/// Binds a value to the `at`-th parameter, counted from 1.
#[inline]
pub(super) fn bind(
    statement: &mut Statement<'_>,
    at: usize,
    column_type: ColumnType,
    value: &Value,
) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(at, Null),
        Value::Bool(b) => statement.raw_bind_parameter(at, b),
        Value::Integer(micros) if column_type == ColumnType::Timestamp => {
            let mut buffer = [0; _];
            statement.raw_bind_parameter(at, &*timestamp::write(*micros, &mut buffer))
        }
        Value::Integer(i) => statement.raw_bind_parameter(at, i),
        Value::Float(f) => statement.raw_bind_parameter(at, f),
        Value::Text(t) => statement.raw_bind_parameter(at, &**t),
        Value::Bytes(b) => statement.raw_bind_parameter(at, &**b),
    }
}

/// The value of a column, or `None` when its type cannot have been written by
/// us.
pub(super) fn read(stored: ValueRef<'_>, column_type: ColumnType) -> Option<Value> {
    Some(match (stored, column_type) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(i), ColumnType::Boolean) => Value::Bool(i != 0),
        (ValueRef::Integer(i), ColumnType::Integer) => Value::Integer(i),
        (ValueRef::Real(f), ColumnType::Float) => Value::Float(f),
        (ValueRef::Blob(b), ColumnType::Bytes) => Value::Bytes(b.into()),
        (ValueRef::Text(t), ColumnType::Timestamp) => {
            Value::Integer(timestamp::read(str::from_utf8(t).ok()?)?)
        }
        (ValueRef::Text(t), _) => Value::Text(str::from_utf8(t).ok()?.into()),
        _ => return None,
    })
}

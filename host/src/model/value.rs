//! Values of columns, and how what a projector sends becomes one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cells::Cell;
use super::time::Timestamp;

/// What a column of a read model holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit float.
    Float,
    /// An exact decimal number of up to 28 digits.
    Decimal,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A point in time, to the microsecond.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
}

/// The value of one column of one row, in the form that its column type has
/// inside the host:
///
/// | column type | value |
/// |---|---|
/// | boolean | `Bool` |
/// | integer | `Integer` |
/// | float | `Float` |
/// | text, json | `Text` |
/// | decimal | `Text`, as `rust_decimal` writes it |
/// | uuid | `Text`, hyphenated and lower case |
/// | timestamp | `Integer`, microseconds since 1970 |
/// | bytes | `Bytes` |
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, or a timestamp in microseconds.
    Integer(i64),
    /// A float.
    Float(f64),
    /// Text, JSON, a decimal or a UUID; shared, so that copying a row is cheap.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
}

/// What a projector sent cannot be a value of the column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The kind of value does not fit the column type.
    #[error("a column of type {column} cannot hold the {given} {shown}")]
    Mismatch {
        /// The declared type.
        column: ColumnType,
        /// The kind of what was sent.
        given: &'static str,
        /// A piece of what was sent.
        shown: String,
    },
    /// The text is not a value of the type.
    #[error("{shown} is not a valid {column}: {reason}")]
    Invalid {
        /// The declared type.
        column: ColumnType,
        /// A piece of what was sent.
        shown: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The column type has no addition.
    #[error("a column of type {0} cannot be incremented; only integer, float and decimal can")]
    NotANumber(ColumnType),
    /// The sum does not fit.
    #[error("the sum is out of the range of type {0}")]
    Overflow(ColumnType),
}

impl ColumnType {
    /// Checks what a projector sent and turns it into this type's value.
    /// Null passes; whether it is allowed is the column's affair.
    pub fn check(self, cell: Cell<'_>) -> Result<Value, ValueError> {
        use ColumnType as T;
        Ok(match (self, cell) {
            (_, Cell::Null) => Value::Null,
            (T::Boolean, Cell::Bool(b)) => Value::Bool(b),
            (T::Integer | T::Timestamp, Cell::Integer(i)) => Value::Integer(i),
            (T::Float, Cell::Float(f)) if f.is_nan() => {
                return Err(self.invalid(cell, "databases do not agree on NaN".into()));
            }
            (T::Float, Cell::Float(f)) => Value::Float(f),
            (T::Float, Cell::Integer(i)) => Value::Float(i as f64),
            (T::Text, Cell::Text(t)) => Value::Text(t.into()),
            (T::Bytes, Cell::Bytes(b)) => Value::Bytes(b.into()),
            (T::Timestamp, Cell::Text(t)) => match Timestamp::parse(t) {
                Ok(time) => Value::Integer(time.0),
                Err(e) => return Err(self.invalid(cell, e.to_string())),
            },
            (T::Decimal, Cell::Integer(i)) => Value::Text(i.to_string().into()),
            (T::Decimal, Cell::Text(t)) => match t.parse::<rust_decimal::Decimal>() {
                Ok(number) => Value::Text(number.to_string().into()),
                Err(e) => return Err(self.invalid(cell, e.to_string())),
            },
            (T::Uuid, Cell::Text(t)) => match uuid::Uuid::try_parse(t) {
                Ok(id) => Value::Text(id.hyphenated().to_string().into()),
                Err(e) => return Err(self.invalid(cell, e.to_string())),
            },
            (T::Json, Cell::Text(t)) => match serde_json::from_str::<serde::de::IgnoredAny>(t) {
                Ok(_) => Value::Text(t.into()),
                Err(e) => return Err(self.invalid(cell, e.to_string())),
            },
            _ => {
                return Err(ValueError::Mismatch {
                    column: self,
                    given: cell.kind(),
                    shown: cell.shown(),
                });
            }
        })
    }

    /// The sum of a stored value and an increment; null counts as zero.
    pub fn add(self, stored: &Value, by: &Value) -> Result<Value, ValueError> {
        match (self, stored, by) {
            (ColumnType::Integer | ColumnType::Float | ColumnType::Decimal, _, Value::Null) => {
                Ok(stored.clone())
            }
            (ColumnType::Integer | ColumnType::Float | ColumnType::Decimal, Value::Null, _) => {
                Ok(by.clone())
            }
            (ColumnType::Integer, Value::Integer(a), Value::Integer(b)) => a
                .checked_add(*b)
                .map(Value::Integer)
                .ok_or(ValueError::Overflow(self)),
            (ColumnType::Float, Value::Float(a), Value::Float(b)) => {
                let sum = a + b;
                if sum.is_nan() {
                    Err(ValueError::Overflow(self))
                } else {
                    Ok(Value::Float(sum))
                }
            }
            (ColumnType::Decimal, Value::Text(a), Value::Text(b)) => {
                let parse = |t: &str| t.parse::<rust_decimal::Decimal>().ok();
                parse(a)
                    .zip(parse(b))
                    .and_then(|(a, b)| a.checked_add(b))
                    .map(|sum| Value::Text(sum.to_string().into()))
                    .ok_or(ValueError::Overflow(self))
            }
            _ => Err(ValueError::NotANumber(self)),
        }
    }

    fn invalid(self, cell: Cell<'_>, reason: String) -> ValueError {
        ValueError::Invalid {
            column: self,
            shown: cell.shown(),
            reason,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnType::Boolean => "boolean",
            ColumnType::Integer => "integer",
            ColumnType::Float => "float",
            ColumnType::Decimal => "decimal",
            ColumnType::Text => "text",
            ColumnType::Bytes => "bytes",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Uuid => "uuid",
            ColumnType::Json => "json",
        })
    }
}

impl Value {
    /// How many bytes the value takes in memory, about.
    pub fn weight(&self) -> usize {
        size_of::<Value>()
            + match self {
                Value::Text(t) => t.len(),
                Value::Bytes(b) => b.len(),
                _ => 0,
            }
    }

    /// The value as a projector would send it.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Null,
            Value::Bool(b) => Cell::Bool(*b),
            Value::Integer(i) => Cell::Integer(*i),
            Value::Float(f) => Cell::Float(*f),
            Value::Text(t) => Cell::Text(t),
            Value::Bytes(b) => Cell::Bytes(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_against_the_column_type() {
        let uuid = ColumnType::Uuid
            .check(Cell::Text("67E55044-10B1-426F-9247-BB680E5FE0C8"))
            .unwrap();
        assert_eq!(
            uuid,
            Value::Text("67e55044-10b1-426f-9247-bb680e5fe0c8".into())
        );
        let time = ColumnType::Timestamp
            .check(Cell::Text("1970-01-01T00:00:01Z"))
            .unwrap();
        assert_eq!(time, Value::Integer(1_000_000));
        let error = ColumnType::Integer.check(Cell::Text("7")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a column of type integer cannot hold the text \"7\""
        );
        assert!(ColumnType::Json.check(Cell::Text("{")).is_err());
    }

    #[test]
    fn increments_add_exactly_and_never_wrap() {
        let text = |t: &str| Value::Text(t.into());
        assert_eq!(
            ColumnType::Decimal
                .add(&text("0.10"), &text("0.20"))
                .unwrap(),
            text("0.30")
        );
        assert_eq!(
            ColumnType::Integer.add(&Value::Integer(i64::MAX), &Value::Integer(1)),
            Err(ValueError::Overflow(ColumnType::Integer))
        );
        assert_eq!(
            ColumnType::Integer.add(&Value::Null, &Value::Integer(1)),
            Ok(Value::Integer(1))
        );
        assert!(ColumnType::Text.add(&text("a"), &text("b")).is_err());
    }
}

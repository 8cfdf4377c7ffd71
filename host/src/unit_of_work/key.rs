//! Keys as bytes, for looking rows up.
//!
//! Two keys of one table are equal exactly when their bytes are: every value
//! has a fixed length or is preceded by its length.

use crate::model::{Cell, ColumnType, Table, Value};

/// Appends a text.
#[inline]
pub(super) fn encode_text(text: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(&(text.len() as u32).to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

/// Appends a value.
pub(super) fn encode_value(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Text(t) => encode_text(t, to),
        Value::Integer(i) => to.extend_from_slice(&i.to_le_bytes()),
        Value::Bool(b) => to.push(u8::from(*b)),
        Value::Bytes(b) => {
            to.extend_from_slice(&(b.len() as u32).to_le_bytes());
            to.extend_from_slice(b);
        }
        Value::Float(f) => to.extend_from_slice(&f.to_le_bytes()),
        Value::Null => {}
    }
}

/// Replaces `to` by the bytes of a key.
pub(super) fn encode_values(values: &[Value], to: &mut Vec<u8>) {
    to.clear();
    values.iter().for_each(|value| encode_value(value, to));
}

/// The values of a key from its bytes.
pub(super) fn decode(table: &Table, mut bytes: &[u8]) -> Vec<Value> {
    let mut take = |n: usize| {
        // Only bytes written by `encode_*` for the same table get here.
        let (head, tail) = bytes.split_at(n);
        bytes = tail;
        head
    };
    let mut values = Vec::with_capacity(table.key.len());
    for &column in &table.key {
        values.push(match table.columns[column].column_type {
            ColumnType::Boolean => Value::Bool(take(1)[0] != 0),
            ColumnType::Integer | ColumnType::Timestamp => {
                Value::Integer(i64::from_le_bytes(eight(take(8))))
            }
            ColumnType::Float => Value::Float(f64::from_le_bytes(eight(take(8)))),
            ColumnType::Bytes => {
                let n = length(take(4));
                Value::Bytes(take(n).into())
            }
            ColumnType::Text | ColumnType::Decimal | ColumnType::Uuid | ColumnType::Json => {
                let n = length(take(4));
                Value::Text(String::from_utf8_lossy(take(n)).into())
            }
        });
    }
    values
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    let mut all = [0; 8];
    all.copy_from_slice(bytes);
    all
}

fn length(bytes: &[u8]) -> usize {
    let mut all = [0; 4];
    all.copy_from_slice(bytes);
    u32::from_le_bytes(all) as usize
}

/// Whether a value of this type is stored just as it is sent, so that a key can
/// be looked up without making a [`Value`] of it.
#[inline]
pub(super) fn as_sent<'a>(column_type: ColumnType, cell: Cell<'a>) -> Option<&'a str> {
    match (column_type, cell) {
        (ColumnType::Text, Cell::Text(text)) => Some(text),
        _ => None,
    }
}

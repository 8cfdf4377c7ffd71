//! Values in the server's binary form.
//!
//! A column of many rows goes as one array, written straight into the message:
//! one parameter for each column, whatever the number of rows.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Type, ValueRef as _};

use super::numeric;
use crate::model::{ColumnType, Row, Value};

/// Microseconds from 1970, from where we count, to 2000, from where it does.
const EPOCH: i64 = 946_684_800_000_000;

/// The version that stands before a `jsonb`.
const JSON_VERSION: u8 = 1;

/// What a column type is called in a statement.
pub(super) fn sql_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Boolean => "boolean",
        ColumnType::Integer => "bigint",
        ColumnType::Float => "double precision",
        ColumnType::Decimal => "numeric",
        ColumnType::Text => "text",
        ColumnType::Bytes => "bytea",
        ColumnType::Timestamp => "timestamp with time zone",
        ColumnType::Uuid => "uuid",
        ColumnType::Json => "jsonb",
    }
}

/// The server's numbers of a type and of an array of it, the same everywhere.
fn oids(column_type: ColumnType) -> (u32, u32) {
    match column_type {
        ColumnType::Boolean => (16, 1000),
        ColumnType::Integer => (20, 1016),
        ColumnType::Float => (701, 1022),
        ColumnType::Decimal => (1700, 1231),
        ColumnType::Text => (25, 1009),
        ColumnType::Bytes => (17, 1001),
        ColumnType::Timestamp => (1184, 1185),
        ColumnType::Uuid => (2950, 2951),
        ColumnType::Json => (3802, 3807),
    }
}

/// Many values of one type, as one parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Array<'a> {
    pub(super) column_type: ColumnType,
    pub(super) values: Values<'a>,
}

/// Where the values of an array come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// One column of rows.
    Column(&'a [&'a Row], usize),
    /// One part of keys.
    KeyPart(&'a [Vec<Value>], usize),
    /// The entity versions of rows.
    Versions(&'a [&'a Row]),
    /// The tombstone marks of rows.
    Deleted(&'a [&'a Row]),
}

impl Values<'_> {
    fn len(self) -> usize {
        match self {
            Values::Column(rows, _) | Values::Versions(rows) | Values::Deleted(rows) => rows.len(),
            Values::KeyPart(keys, _) => keys.len(),
        }
    }
}

impl Type<Postgres> for Array<'_> {
    fn type_info() -> PgTypeInfo {
        // Every value says what it is, below.
        PgTypeInfo::with_oid(Oid(oids(ColumnType::Text).1))
    }
}

impl Encode<'_, Postgres> for Array<'_> {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(oids(self.column_type).1)))
    }

    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let out: &mut Vec<u8> = buffer;
        let count = i32::try_from(self.values.len())?;
        // One dimension; nulls may occur; the type; the length; counted from 1.
        out.extend(1_i32.to_be_bytes());
        out.extend(1_i32.to_be_bytes());
        out.extend(oids(self.column_type).0.to_be_bytes());
        out.extend(count.to_be_bytes());
        out.extend(1_i32.to_be_bytes());
        match self.values {
            Values::Column(rows, column) => {
                for row in rows {
                    write(out, self.column_type, &row.values[column])?;
                }
            }
            Values::KeyPart(keys, part) => {
                for key in keys {
                    write(out, self.column_type, &key[part])?;
                }
            }
            Values::Versions(rows) => {
                for row in rows {
                    write_version(out, row);
                }
            }
            Values::Deleted(rows) => {
                for row in rows {
                    write_deleted(out, row);
                }
            }
        }
        Ok(IsNull::No)
    }
}

/// One value, as one parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Single<'a> {
    pub(super) column_type: ColumnType,
    pub(super) value: &'a Value,
}

impl Type<Postgres> for Single<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oids(ColumnType::Text).0))
    }
}

impl Encode<'_, Postgres> for Single<'_> {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(oids(self.column_type).0)))
    }

    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if *self.value == Value::Null {
            return Ok(IsNull::Yes);
        }
        write_payload(buffer, self.column_type, self.value)?;
        Ok(IsNull::No)
    }
}

/// Appends one row as `COPY` takes it: the number of fields, then each of them.
pub(super) fn write_row(
    out: &mut Vec<u8>,
    types: &[ColumnType],
    row: &Row,
    guarded: bool,
) -> Result<(), BoxDynError> {
    let fields = types.len() + if guarded { 2 } else { 0 };
    out.extend(i16::try_from(fields)?.to_be_bytes());
    for (column_type, value) in types.iter().zip(&row.values) {
        write(out, *column_type, value)?;
    }
    if guarded {
        write_version(out, row);
        write_deleted(out, row);
    }
    Ok(())
}

fn write_version(out: &mut Vec<u8>, row: &Row) {
    out.extend(8_i32.to_be_bytes());
    // Versions past the middle become negative, and come back as they were.
    out.extend((row.version as i64).to_be_bytes());
}

fn write_deleted(out: &mut Vec<u8>, row: &Row) {
    out.extend(1_i32.to_be_bytes());
    out.push(u8::from(row.deleted));
}

/// Appends the length of a value and the value; -1 alone is null.
#[inline]
fn write(out: &mut Vec<u8>, column_type: ColumnType, value: &Value) -> Result<(), BoxDynError> {
    if *value == Value::Null {
        out.extend((-1_i32).to_be_bytes());
        return Ok(());
    }
    let at = out.len();
    out.extend([0; 4]);
    write_payload(out, column_type, value)?;
    let length = i32::try_from(out.len() - at - 4)?;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[inline]
fn write_payload(
    out: &mut Vec<u8>,
    column_type: ColumnType,
    value: &Value,
) -> Result<(), BoxDynError> {
    match (value, column_type) {
        (Value::Bool(b), _) => out.push(u8::from(*b)),
        (Value::Integer(micros), ColumnType::Timestamp) => {
            // What cannot be counted from 2000 is out of the server's range,
            // which it says itself. The least number it takes for the infinite
            // past, which comes back as it was.
            let shifted = micros.checked_sub(EPOCH).unwrap_or(i64::MIN + 1);
            out.extend(shifted.to_be_bytes());
        }
        (Value::Integer(i), _) => out.extend(i.to_be_bytes()),
        (Value::Float(f), _) => out.extend(f.to_be_bytes()),
        (Value::Bytes(bytes), _) => out.extend_from_slice(bytes),
        (Value::Text(text), ColumnType::Decimal) => {
            if !numeric::encode(text, out) {
                return Err(format!("`{text}` is not a decimal number").into());
            }
        }
        (Value::Text(text), ColumnType::Uuid) => {
            out.extend(uuid::Uuid::try_parse(text)?.as_bytes());
        }
        (Value::Text(text), ColumnType::Json) => {
            out.push(JSON_VERSION);
            out.extend_from_slice(text.as_bytes());
        }
        (Value::Text(text), _) => out.extend_from_slice(text.as_bytes()),
        (Value::Null, _) => return Err("null has no bytes".into()),
    }
    Ok(())
}

/// Reads a value of a column.
pub(super) fn read(stored: PgValueRef<'_>, column_type: ColumnType) -> Result<Value, sqlx::Error> {
    if stored.is_null() {
        return Ok(Value::Null);
    }
    let bytes = stored.as_bytes().map_err(sqlx::Error::Decode)?;
    read_payload(bytes, column_type)
        .ok_or_else(|| sqlx::Error::Decode(format!("it does not hold a {column_type}").into()))
}

fn read_payload(bytes: &[u8], column_type: ColumnType) -> Option<Value> {
    let text = |bytes| Some(Value::Text(str::from_utf8(bytes).ok()?.into()));
    Some(match column_type {
        ColumnType::Boolean => Value::Bool(bytes != [0]),
        ColumnType::Integer => Value::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        ColumnType::Timestamp => {
            let shifted = i64::from_be_bytes(bytes.try_into().ok()?);
            Value::Integer(shifted.checked_add(EPOCH)?)
        }
        ColumnType::Float => Value::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        ColumnType::Decimal => Value::Text(numeric::decode(bytes)?.into()),
        ColumnType::Text => text(bytes)?,
        ColumnType::Bytes => Value::Bytes(bytes.into()),
        ColumnType::Uuid => {
            let id = uuid::Uuid::from_slice(bytes).ok()?;
            let mut hyphenated = uuid::Uuid::encode_buffer();
            Value::Text((&*id.hyphenated().encode_lower(&mut hyphenated)).into())
        }
        ColumnType::Json => text(bytes.strip_prefix(&[JSON_VERSION])?)?,
    })
}

//! Values as PostgreSQL sends them, in its binary format, into columns.

use std::fmt::Write;

use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Row, ValueRef};
use uuid::Uuid;

use super::kinds::{Body, Name, Time, Whole};
use super::trouble::failed;
use crate::model::{EventBatch, Position, Timestamp};
use crate::source::SourceError;

/// What is wrong with a value; the caller knows whose it is.
pub(super) type Flaw = String;

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// The bytes of a column, `None` for null.
#[inline]
pub(super) fn bytes(row: &PgRow, column: usize) -> Result<Option<&[u8]>, SourceError> {
    let value: PgValueRef<'_> = row.try_get_raw(column).map_err(failed)?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_bytes().map(Some).map_err(SourceError::Broken)
}

impl Whole {
    #[inline]
    pub(super) fn read(self, bytes: Option<&[u8]>) -> Result<i64, Flaw> {
        let bytes = bytes.ok_or_else(|| "it is null".to_owned())?;
        let odd = |_| format!("it has {} bytes", bytes.len());
        Ok(match self {
            Self::I16 => i16::from_be_bytes(bytes.try_into().map_err(odd)?).into(),
            Self::I32 => i32::from_be_bytes(bytes.try_into().map_err(odd)?).into(),
            Self::I64 => i64::from_be_bytes(bytes.try_into().map_err(odd)?),
        })
    }
}

impl Name {
    /// Adds the name to a text. Null adds nothing.
    #[inline]
    pub(super) fn push(self, bytes: Option<&[u8]>, to: &mut String) -> Result<(), Flaw> {
        let Some(bytes) = bytes else { return Ok(()) };
        match self {
            Self::Text => to.push_str(utf8(bytes)?),
            Self::Uuid => {
                let id = Uuid::from_slice(bytes).map_err(|error| error.to_string())?;
                let mut buffer = Uuid::encode_buffer();
                to.push_str(id.hyphenated().encode_lower(&mut buffer));
            }
            Self::Whole(kind) => {
                let number = kind.read(Some(bytes))?;
                // Writing to a text cannot fail.
                let _ = write!(to, "{number}");
            }
        }
        Ok(())
    }

    /// The name, put together in `spare` where it is not text already.
    #[inline]
    pub(super) fn text<'a>(
        self,
        bytes: Option<&'a [u8]>,
        spare: &'a mut String,
    ) -> Result<&'a str, Flaw> {
        if let (Self::Text, Some(bytes)) = (self, bytes) {
            return utf8(bytes);
        }
        spare.clear();
        self.push(bytes, spare)?;
        Ok(spare)
    }

    /// The type to which a text must be cast to be compared with such a name.
    pub(super) fn sql_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Whole(_) => "bigint",
        }
    }
}

impl Time {
    /// Microseconds since 1970.
    #[inline]
    pub(super) fn read(self, bytes: Option<&[u8]>) -> Result<i64, Flaw> {
        let bytes = bytes.ok_or_else(|| "it is null".to_owned())?;
        match self {
            Self::Micros => {
                let time = Whole::I64.read(Some(bytes))?;
                // The ends of the range stand for infinity.
                match time {
                    i64::MIN | i64::MAX => Err("it is infinite".to_owned()),
                    _ => time
                        .checked_add(EPOCH_2000)
                        .ok_or_else(|| "it is too far away".to_owned()),
                }
            }
            Self::Text => Timestamp::parse(utf8(bytes)?)
                .map(|time| time.0)
                .map_err(|error| error.to_string()),
        }
    }
}

impl Body {
    /// Adds a payload. Bytes that are text become text.
    #[inline]
    pub(super) fn push_data(
        self,
        bytes: Option<&[u8]>,
        batch: &mut EventBatch,
    ) -> Result<(), Flaw> {
        let bytes = bytes.unwrap_or_default();
        match (self.as_text(bytes), self) {
            (Ok(text), _) => batch.data.push_str(text),
            (Err(_), Self::Bytes) => {
                if batch.binary_ends.is_empty() {
                    // The first binary payload: all before it had none.
                    batch.binary_ends.resize(batch.data_ends.len(), 0);
                }
                batch.binary.extend_from_slice(bytes);
                batch.binary_ends.push(batch.binary.len() as u32);
                batch.data_ends.push(batch.data.len() as u32);
                return Ok(());
            }
            (Err(flaw), _) => return Err(flaw),
        }
        batch.data_ends.push(batch.data.len() as u32);
        if !batch.binary_ends.is_empty() {
            batch.binary_ends.push(batch.binary.len() as u32);
        }
        Ok(())
    }

    /// The value as text, `""` for nothing.
    #[inline]
    pub(super) fn as_text(self, bytes: &[u8]) -> Result<&str, Flaw> {
        match self {
            Self::Text | Self::Bytes => utf8(bytes),
            Self::Jsonb => utf8(bytes.get(1..).unwrap_or_default()),
        }
    }
}

/// The elements of an array.
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// Null and the empty array have no elements.
    pub(super) fn of(bytes: Option<&'a [u8]>) -> Self {
        // Dimensions, flags and type, then length and lower bound of the one
        // dimension; the empty array has none.
        let rest = bytes.and_then(|bytes| bytes.get(20..)).unwrap_or_default();
        Self { rest }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        // A null has the length -1.
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.rest = rest;
            return Some(None);
        };
        let (element, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Some(element))
    }
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Flaw> {
    std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8 ({error})"))
}

/// A value that cannot be read, of a certain event.
#[cold]
pub(super) fn unreadable(position: u64, what: &str, flaw: &str) -> SourceError {
    SourceError::Unreadable {
        position: Position(position),
        reason: format!(
            "its {what} is of no use: {flaw}; give `event_store.{what}` an expression that says \
             what to take instead, or leave such events out with `event_store.filter`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_is_partly_binary_stays_in_step() {
        let mut batch = EventBatch::default();
        for bytes in [&b"{}"[..], &[0xff], b"text", b"", &[0xfe, 1]] {
            Body::Bytes.push_data(Some(bytes), &mut batch).unwrap();
        }
        assert_eq!(
            (batch.data.as_str(), &batch.data_ends[..]),
            ("{}text", &[2, 2, 6, 6, 6][..])
        );
        assert_eq!(
            (&batch.binary[..], &batch.binary_ends[..]),
            (&[0xff, 0xfe, 1][..], &[0, 1, 1, 1, 3][..])
        );
    }

    #[test]
    fn arrays_are_taken_apart() {
        let mut bytes = [1_i32, 1, 25, 3, 1].map(i32::to_be_bytes).concat();
        for element in [Some("ab"), None, Some("")] {
            let length = element.map_or(-1, |text| text.len() as i32);
            bytes.extend(length.to_be_bytes());
            bytes.extend(element.unwrap_or_default().bytes());
        }
        let elements: Vec<_> = Elements::of(Some(&bytes)).collect();
        assert_eq!(elements, [Some(&b"ab"[..]), None, Some(&b""[..])]);
        assert_eq!(Elements::of(Some(&[0; 12])).count(), 0);
        assert_eq!(Elements::of(None).count(), 0);
    }

    #[test]
    fn numbers_and_times_that_are_none_are_told() {
        assert_eq!(Whole::I16.read(Some(&[0xff, 0xfe])).unwrap(), -2);
        assert!(Whole::I64.read(None).unwrap_err().contains("null"));
        assert_eq!(
            Time::Micros.read(Some(&0_i64.to_be_bytes())).unwrap(),
            EPOCH_2000
        );
        assert!(
            Time::Micros
                .read(Some(&i64::MAX.to_be_bytes()))
                .unwrap_err()
                .contains("infinite")
        );
        assert!(Time::Text.read(Some(b"yesterday")).is_err());
        assert_eq!(
            Time::Text.read(Some(b"1970-01-01T00:00:01Z")).unwrap(),
            1_000_000
        );
    }
}

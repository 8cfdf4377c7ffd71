//! Points in time, to the microsecond.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Microseconds are what PostgreSQL's `timestamptz` holds, so a time means the
/// same in every store. In JSON it is a text in RFC 3339; a number, as in records
/// of earlier versions, is read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(from = "Written")]
pub struct Timestamp(pub i64);

/// How a time may be written in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Microseconds(i64),
    Text(jiff::Timestamp),
}

impl From<Written> for Timestamp {
    fn from(written: Written) -> Self {
        match written {
            Written::Microseconds(microseconds) => Self(microseconds),
            Written::Text(time) => Self(time.as_microsecond()),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What no calendar holds stays a number.
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(_) => serializer.collect_str(self),
            Err(_) => serializer.serialize_i64(self.0),
        }
    }
}

/// A text is not a point in time that Lantern can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time such as 2026-01-31T09:30:00Z")]
pub struct TimestampError {
    text: String,
}

impl Timestamp {
    /// The current time of this machine's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Reads an RFC 3339 time with an offset. Digits past the microsecond are
    /// cut off.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self(time.as_microsecond()))
            .map_err(|_| TimestampError {
                text: text.chars().take(64).collect(),
            })
    }

    /// Writes the time with all six digits of its fraction, so that texts sort
    /// as the times do. This is how SQLite holds it.
    pub fn sortable(self) -> String {
        self.with_fraction(6)
    }

    fn with_fraction(self, digits: u8) -> String {
        let Ok(time) = jiff::Timestamp::from_microsecond(self.0) else {
            return self.0.to_string();
        };
        format!("{time:.*}", usize::from(digits))
    }
}

/// The shortest common form: milliseconds, or microseconds where there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0 % 1000 == 0 { 3 } else { 6 };
        f.write_str(&self.with_fraction(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_to_the_microsecond() {
        let time = Timestamp::parse("2010-03-31T16:59:42.5+02:00").unwrap();
        assert_eq!(time.to_string(), "2010-03-31T14:59:42.500Z");
        assert_eq!(time.sortable(), "2010-03-31T14:59:42.500000Z");
        assert_eq!(
            Timestamp(time.0 + 1).to_string(),
            "2010-03-31T14:59:42.500001Z"
        );
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn in_json_a_time_is_text_and_numbers_are_understood() {
        for (time, text) in [
            (Timestamp(0), r#""1970-01-01T00:00:00.000Z""#),
            (Timestamp(1_500_001), r#""1970-01-01T00:00:01.500001Z""#),
            (Timestamp(i64::MAX), "9223372036854775807"),
        ] {
            assert_eq!(serde_json::to_string(&time).unwrap(), text);
            assert_eq!(serde_json::from_str::<Timestamp>(text).unwrap(), time);
        }
        assert_eq!(
            serde_json::from_str::<Timestamp>("7").unwrap(),
            Timestamp(7)
        );
        assert!(serde_json::from_str::<Timestamp>(r#""soon""#).is_err());
    }
}

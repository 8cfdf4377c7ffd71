//! Points in time.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::cells::{CellReader, CellWriter};
use crate::error::{Error, Result};
use crate::value::{ColumnType, Value};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Reads and prints RFC 3339; in JSON it is that text. A printed time is in UTC,
/// with milliseconds, or microseconds where there are any.
///
/// ```
/// # use lantern_sdk::Timestamp;
/// let time: Timestamp = "2026-11-05T10:00:00.5+01:00".parse()?;
/// assert_eq!(time.to_string(), "2026-11-05T09:00:00.500Z");
/// # Ok::<(), lantern_sdk::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// The time so many microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The day, as `2026-11-05`.
    pub fn date(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(SECONDS_PER_DAY * MICROS_PER_SECOND));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads an RFC 3339 time with an offset. Digits past the microsecond are
    /// cut off; a leap second counts as the second after it.
    ///
    /// # Errors
    ///
    /// Fails when the text is not such a time, or names a day that is not.
    fn from_str(text: &str) -> Result<Self> {
        read(text.as_bytes()).map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Error::new(format_args!(
                "`{shown}` is not an RFC 3339 time such as 2026-01-31T09:30:00Z"
            ))
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        let fraction = self.0.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match fraction % 1000 {
            0 => write!(f, ".{:03}Z", fraction / 1000),
            _ => write!(f, ".{fraction:06}Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;

        impl Visitor<'_> for Rfc3339 {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Rfc3339)
    }
}

impl Value for Timestamp {
    const TYPE: ColumnType = ColumnType::Timestamp;
    type Stored = Self;

    #[inline]
    fn write(&self, to: &mut CellWriter<'_>) {
        to.integer(self.0);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.integer().map(Self)
    }
}

/// Microseconds, from `YYYY-MM-DDThh:mm:ss[.f…](Z|±hh:mm)`.
fn read(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let [
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        b'-',
        _,
        _,
        b'T' | b't' | b' ',
        _,
        _,
        b':',
        _,
        _,
        b':',
        _,
        _,
    ] = date_time
    else {
        return None;
    };
    let (year, month, day) = (
        digits(&text[..4])?,
        digits(&text[5..7])?,
        digits(&text[8..10])?,
    );
    let (hour, minute, second) = (
        digits(&text[11..13])?,
        digits(&text[14..16])?,
        digits(&text[17..19])?,
    );
    if !(1..=days_in(year, month)?).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, rest) = fraction(rest)?;
    let seconds =
        days_since_1970(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second
            - offset(rest)?;
    Some(seconds * MICROS_PER_SECOND + micros)
}

/// The number that all of `text` spells.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Microseconds of `.123…`, if there is a fraction, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (shown, rest) = text.split_at(length);
    let kept = &shown[..length.min(6)];
    let scale = 10_i64.pow(6 - kept.len() as u32);
    (length > 0).then_some((digits(kept)? * scale, rest))
}

/// Seconds of `Z` or `±hh:mm`.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let seconds = hours * 3600 + minutes * 60;
            let ahead = if *sign == b'+' { seconds } else { -seconds };
            (hours < 24 && minutes < 60).then_some(ahead)
        }
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => return None,
    })
}

// Both directions count years from March, so that the leap day ends a year, and
// group them by 400, after which the calendar repeats: 146,097 days. 1970-01-01
// is 719,468 days after 0000-03-01. In such a year, month `m` counted from March
// begins on day (153 m + 2) / 5.
const DAYS_PER_ERA: i64 = 146_097;
const EPOCH: i64 = 719_468;

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().0
    }

    #[test]
    fn times_are_read_with_offsets_and_fractions() {
        assert_eq!(micros("1970-01-01T00:00:00Z"), 0);
        assert_eq!(micros("1970-01-01T00:00:00.000001Z"), 1);
        assert_eq!(micros("1970-01-01T01:00:00.5+01:00"), 500_000);
        assert_eq!(micros("1969-12-31T23:59:59.9999999Z"), -1);
        assert_eq!(micros("2000-02-29T12:00:00-00:30"), 951_827_400_000_000);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "２026-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_is_printed_as_it_was_read() {
        let first = micros("1600-01-01T00:00:00Z");
        for day in 0..292_194 {
            let time = Timestamp(first + day * SECONDS_PER_DAY * MICROS_PER_SECOND);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp(1_000).to_string(), "1970-01-01T00:00:00.001Z");
        assert_eq!(Timestamp(951_827_400_000_000).date(), "2000-02-29");
    }
}

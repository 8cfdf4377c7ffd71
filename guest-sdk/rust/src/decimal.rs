//! Exact decimal numbers.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::cells::{CellReader, CellWriter};
use crate::error::{Error, Result};
use crate::value::{ColumnType, Value};

/// An exact decimal number of up to 28 digits, such as a price.
///
/// It keeps the digits it was given: `1.50` stays `1.50`, and equals `1.50` but
/// not `1.5`. In JSON it is a text; a number is read too, but one with a
/// fraction has then been through a float.
///
/// ```
/// # use lantern_sdk::Decimal;
/// let price = Decimal::from_units(1999, 2);
/// assert_eq!(price.to_string(), "19.99");
/// assert_eq!(price, "19.99".parse()?);
/// # Ok::<(), lantern_sdk::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    units: i128,
    scale: u32,
}

/// The most digits that the host keeps.
const MOST_DIGITS: u32 = 28;

impl Decimal {
    /// The number `units` × 10^-`scale`: 1999 cents are `from_units(1999, 2)`.
    ///
    /// # Panics
    ///
    /// Panics when `scale` is more than 28.
    pub fn from_units(units: i64, scale: u32) -> Self {
        assert!(scale <= MOST_DIGITS, "a decimal has at most 28 digits");
        Self {
            units: i128::from(units),
            scale,
        }
    }

    /// The sum, with as many decimal places as the longer of the two.
    ///
    /// # Errors
    ///
    /// Fails when the sum has more than 28 digits.
    pub fn plus(self, other: Self) -> Result<Self> {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale)
            .zip(other.at_scale(scale))
            .and_then(|(a, b)| a.checked_add(b))
            .filter(|units| units.unsigned_abs() < 10_u128.pow(MOST_DIGITS))
            .map(|units| Self { units, scale })
            .ok_or_else(|| Error::new(format_args!("{self} + {other} has more than 28 digits")))
    }

    fn at_scale(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(10_i128.pow(scale - self.scale))
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads an optional sign, digits, and optionally a point with digits.
    ///
    /// # Errors
    ///
    /// Fails when the text is not such a number or has more than 28 digits.
    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            let shown: String = text.chars().take(40).collect();
            Error::new(format_args!(
                "`{shown}` is not a decimal of up to 28 digits"
            ))
        };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(refused());
        }
        let fraction = if unsigned.contains('.') { fraction } else { "" };
        let digits = whole.trim_start_matches('0').len() + fraction.len();
        if digits > MOST_DIGITS as usize {
            return Err(refused());
        }
        let units = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0_i128, |units, digit| units * 10 + i128::from(digit - b'0'));
        let units = if text.starts_with('-') { -units } else { units };
        Ok(Self {
            units,
            scale: fraction.len() as u32,
        })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let (units, one) = (self.units.unsigned_abs(), 10_u128.pow(self.scale));
        write!(f, "{sign}{}", units / one)?;
        match self.scale {
            0 => Ok(()),
            scale => write!(f, ".{:0width$}", units % one, width = scale as usize),
        }
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self::from_units(whole, 0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number, as text or as a number")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(Decimal::from(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Decimal, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Decimal, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

impl Value for Decimal {
    const TYPE: ColumnType = ColumnType::Decimal;
    type Stored = Self;

    fn write(&self, to: &mut CellWriter<'_>) {
        to.display(self);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        from.text()?.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept() {
        for text in [
            "0",
            "-0.05",
            "19.99",
            "1.50",
            "1234567890123456789012345678",
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1e3",
            "--1",
            "12345678901234567890123456789",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn sums_are_exact() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(number("0.1").plus(number("0.20")), Ok(number("0.30")));
        assert_eq!(number("-1").plus(number("0.75")), Ok(number("-0.25")));
        assert!(
            number("9999999999999999999999999999")
                .plus(number("1"))
                .is_err()
        );
    }
}

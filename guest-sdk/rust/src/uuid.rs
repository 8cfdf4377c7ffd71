//! Universally unique identifiers.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::cells::{CellReader, CellWriter};
use crate::error::{Error, Result};
use crate::value::{ColumnType, Value};

/// A UUID: 128 bits, printed as `67e55044-10b1-426f-9247-bb680e5fe0c8`.
///
/// Reads upper and lower case, with hyphens or without. In JSON it is a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub u128);

impl FromStr for Uuid {
    type Err = Error;

    /// # Errors
    ///
    /// Fails when the text is not a UUID.
    fn from_str(text: &str) -> Result<Self> {
        let hyphens_fit = match text.len() {
            36 => text
                .bytes()
                .enumerate()
                .all(|(at, b)| (b == b'-') == is_hyphen_at(at)),
            32 => !text.contains('-'),
            _ => false,
        };
        text.bytes()
            .filter(|byte| *byte != b'-')
            .try_fold(0_u128, |bits, byte| {
                char::from(byte)
                    .to_digit(16)
                    .map(|digit| bits << 4 | u128::from(digit))
            })
            .filter(|_| hyphens_fit)
            .map(Self)
            .ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                Error::new(format_args!("`{shown}` is not a UUID"))
            })
    }
}

fn is_hyphen_at(index: usize) -> bool {
    matches!(index, 8 | 13 | 18 | 23)
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, digits: u32| (self.0 >> shift) & ((1 << (digits * 4)) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 8),
            part(80, 4),
            part(64, 4),
            part(48, 4),
            part(0, 12)
        )
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Uuid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a UUID")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl Value for Uuid {
    const TYPE: ColumnType = ColumnType::Uuid;
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
    fn identifiers_are_read_in_any_spelling_and_printed_in_one() {
        let printed = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for text in [
            printed,
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
        ] {
            assert_eq!(text.parse::<Uuid>().unwrap().to_string(), printed);
        }
        for text in [
            "",
            "67e55044",
            "67e5504410b1-426f-9247-bb680e5fe0c8-",
            "g7e5504410b1426f9247bb680e5fe0c8",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }
}

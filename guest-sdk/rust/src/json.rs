//! Structures inside a column.

use std::io;
use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cells::{CellReader, CellWriter};
use crate::error::{Error, Result};
use crate::value::{ColumnType, Value};

/// A column that holds a structure as JSON, such as the lines of an order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Serialize> Json<T> {
    /// Writes the JSON straight to where the host reads it.
    ///
    /// # Panics
    ///
    /// Panics when the value has no JSON form, as a map whose keys are no texts.
    pub(crate) fn write_text(&self, to: &mut CellWriter<'_>) {
        to.text_in_pieces(|text| {
            if let Err(error) = serde_json::to_writer(TextEnd(text), &self.0) {
                panic!(
                    "a value of type {} has no JSON form: {error}",
                    std::any::type_name::<T>()
                );
            }
        });
    }
}

impl<T: Serialize + DeserializeOwned> Value for Json<T> {
    const TYPE: ColumnType = ColumnType::Json;
    type Stored = Self;

    /// # Panics
    ///
    /// Panics when the value has no JSON form, as a map whose keys are no texts.
    fn write(&self, to: &mut CellWriter<'_>) {
        self.write_text(to);
    }

    fn read(from: &mut CellReader<'_>) -> Result<Self> {
        let text = from.text()?;
        serde_json::from_str(text).map(Self).map_err(|error| {
            Error::new(format_args!(
                "a json column does not hold a {}: {error}",
                std::any::type_name::<T>()
            ))
        })
    }
}

/// Appends to a text what serde_json writes. It writes whole characters.
struct TextEnd<'t>(&'t mut String);

impl io::Write for TextEnd<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let piece = std::str::from_utf8(piece).map_err(io::Error::other)?;
        self.0.push_str(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

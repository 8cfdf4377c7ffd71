//! Writing and reading the values of rows, one after the other.

use std::fmt::{Display, Write};

use crate::bindings::lantern::projector::types::Cells;
use crate::error::{Error, Result};

pub(crate) mod tag {
    //! What stands in `cells.tags`.

    pub(crate) const NULL: u8 = 0;
    pub(crate) const FALSE: u8 = 1;
    pub(crate) const TRUE: u8 = 2;
    pub(crate) const INTEGER: u8 = 3;
    pub(crate) const FLOAT: u8 = 4;
    pub(crate) const TEXT: u8 = 5;
    pub(crate) const BYTES: u8 = 6;
}

/// Writes values to where the host reads them. A [`Value`](crate::Value) calls
/// exactly one of its methods.
#[derive(Debug)]
pub struct CellWriter<'w> {
    cells: &'w mut Cells,
}

impl<'w> CellWriter<'w> {
    #[inline]
    pub(crate) fn new(cells: &'w mut Cells) -> Self {
        Self { cells }
    }

    /// Writes the absence of a value.
    #[inline]
    pub fn null(&mut self) {
        self.cells.tags.push(tag::NULL);
    }

    /// Writes a boolean.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.cells
            .tags
            .push(if value { tag::TRUE } else { tag::FALSE });
    }

    /// Writes an integer, or a point in time in microseconds.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.cells.tags.push(tag::INTEGER);
        self.cells.integers.push(value);
    }

    /// Writes a float.
    #[inline]
    pub fn float(&mut self, value: f64) {
        self.cells.tags.push(tag::FLOAT);
        self.cells.floats.push(value);
    }

    /// Writes a text: also a decimal, a UUID or JSON.
    #[inline]
    pub fn text(&mut self, value: &str) {
        self.cells.texts.push_str(value);
        self.end_text();
    }

    /// Writes what a value displays, as a text.
    pub fn display(&mut self, value: impl Display) {
        // Writing to a `String` fails only when the value itself says so.
        if write!(self.cells.texts, "{value}").is_err() {
            panic!("a value failed to display itself");
        }
        self.end_text();
    }

    /// Writes a text in pieces, without gathering it first.
    pub(crate) fn text_in_pieces(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.cells.texts);
        self.end_text();
    }

    /// Writes bytes.
    #[inline]
    pub fn bytes(&mut self, value: &[u8]) {
        self.cells.bytes.extend_from_slice(value);
        self.cells.tags.push(tag::BYTES);
        self.cells.byte_ends.push(end(self.cells.bytes.len()));
    }

    #[inline]
    fn end_text(&mut self) {
        self.cells.tags.push(tag::TEXT);
        self.cells.text_ends.push(end(self.cells.texts.len()));
    }
}

/// An offset as the host wants it. A 32-bit address space cannot hold a text
/// whose end would not fit.
#[inline]
fn end(length: usize) -> u32 {
    length as u32
}

/// Reads the values of rows that the host found. A [`Value`](crate::Value)
/// calls exactly one of its methods.
#[derive(Debug)]
pub struct CellReader<'r> {
    cells: &'r Cells,
    tag: usize,
    integer: usize,
    float: usize,
    text: usize,
    text_start: usize,
    byte: usize,
    byte_start: usize,
}

/// One value, as it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'r> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'r str),
    Bytes(&'r [u8]),
}

impl<'r> CellReader<'r> {
    pub(crate) fn new(cells: &'r Cells) -> Self {
        Self {
            cells,
            tag: 0,
            integer: 0,
            float: 0,
            text: 0,
            text_start: 0,
            byte: 0,
            byte_start: 0,
        }
    }

    /// Reads past a null, if the next value is one, and says whether it was.
    pub fn null(&mut self) -> bool {
        let is_null = self.cells.tags.get(self.tag) == Some(&tag::NULL);
        self.tag += usize::from(is_null);
        is_null
    }

    /// Reads a boolean.
    ///
    /// # Errors
    ///
    /// Fails when the next value is another.
    pub fn boolean(&mut self) -> Result<bool> {
        match self.next()? {
            Cell::Boolean(value) => Ok(value),
            other => Err(other.is_no("boolean")),
        }
    }

    /// Reads an integer, or a point in time in microseconds.
    ///
    /// # Errors
    ///
    /// Fails when the next value is another.
    pub fn integer(&mut self) -> Result<i64> {
        match self.next()? {
            Cell::Integer(value) => Ok(value),
            other => Err(other.is_no("integer")),
        }
    }

    /// Reads a float.
    ///
    /// # Errors
    ///
    /// Fails when the next value is another.
    pub fn float(&mut self) -> Result<f64> {
        match self.next()? {
            Cell::Float(value) => Ok(value),
            other => Err(other.is_no("float")),
        }
    }

    /// Reads a text: also a decimal, a UUID or JSON.
    ///
    /// # Errors
    ///
    /// Fails when the next value is another.
    pub fn text(&mut self) -> Result<&'r str> {
        match self.next()? {
            Cell::Text(value) => Ok(value),
            other => Err(other.is_no("text")),
        }
    }

    /// Reads bytes.
    ///
    /// # Errors
    ///
    /// Fails when the next value is another.
    pub fn bytes(&mut self) -> Result<&'r [u8]> {
        match self.next()? {
            Cell::Bytes(value) => Ok(value),
            other => Err(other.is_no("bytes")),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Cell<'r>> {
        let cells = self.cells;
        let tag = *cells.tags.get(self.tag).ok_or_else(missing)?;
        self.tag += 1;
        Ok(match tag {
            tag::NULL => Cell::Null,
            tag::FALSE => Cell::Boolean(false),
            tag::TRUE => Cell::Boolean(true),
            tag::INTEGER => Cell::Integer(take(&cells.integers, &mut self.integer)?),
            tag::FLOAT => Cell::Float(take(&cells.floats, &mut self.float)?),
            tag::TEXT => {
                let end = take(&cells.text_ends, &mut self.text)? as usize;
                let text = cells.texts.get(self.text_start..end).ok_or_else(missing)?;
                self.text_start = end;
                Cell::Text(text)
            }
            tag::BYTES => {
                let end = take(&cells.byte_ends, &mut self.byte)? as usize;
                let bytes = cells.bytes.get(self.byte_start..end).ok_or_else(missing)?;
                self.byte_start = end;
                Cell::Bytes(bytes)
            }
            other => {
                return Err(Error::new(format_args!(
                    "{other} is not the tag of a value"
                )));
            }
        })
    }
}

impl Cell<'_> {
    fn is_no(self, wanted: &str) -> Error {
        let given = match self {
            Cell::Null => "null",
            Cell::Boolean(_) => "boolean",
            Cell::Integer(_) => "integer",
            Cell::Float(_) => "float",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
        };
        Error::new(format_args!(
            "expected a value of kind {wanted}, found {given}"
        ))
    }
}

fn take<T: Copy>(list: &[T], at: &mut usize) -> Result<T> {
    let value = *list.get(*at).ok_or_else(missing)?;
    *at += 1;
    Ok(value)
}

fn missing() -> Error {
    Error::new("there are fewer values than the table has columns")
}

/// No values yet.
pub(crate) fn empty() -> Cells {
    Cells {
        tags: Vec::new(),
        integers: Vec::new(),
        floats: Vec::new(),
        texts: String::new(),
        text_ends: Vec::new(),
        bytes: Vec::new(),
        byte_ends: Vec::new(),
    }
}

/// Forgets the values and keeps the room they took.
pub(crate) fn clear(cells: &mut Cells) {
    cells.tags.clear();
    cells.integers.clear();
    cells.floats.clear();
    cells.texts.clear();
    cells.text_ends.clear();
    cells.bytes.clear();
    cells.byte_ends.clear();
}

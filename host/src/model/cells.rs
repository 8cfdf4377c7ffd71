//! Values in a row, as columns: the form in which they cross into a sandbox.

/// One value as a projector sends or receives it, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    /// The kind of value, in a word.
    pub fn kind(self) -> &'static str {
        match self {
            Cell::Null => "null",
            Cell::Bool(_) => "boolean",
            Cell::Integer(_) => "integer",
            Cell::Float(_) => "float",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
        }
    }

    /// The beginning of the value, for a message.
    pub fn shown(self) -> String {
        const MOST: usize = 40;
        match self {
            Cell::Null => "null".into(),
            Cell::Bool(b) => b.to_string(),
            Cell::Integer(i) => i.to_string(),
            Cell::Float(f) => f.to_string(),
            Cell::Text(t) => format!("{:?}", t.chars().take(MOST).collect::<String>()),
            Cell::Bytes(b) => format!("of {} bytes", b.len()),
        }
    }
}

/// A sequence of values as columns: a tag each, and the values themselves in
/// the list that the tag names, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// 0 null, 1 false, 2 true, 3 integer, 4 float, 5 text, 6 bytes.
    pub tags: Vec<u8>,
    /// The integers.
    pub integers: Vec<i64>,
    /// The floats.
    pub floats: Vec<f64>,
    /// The texts, end to end.
    pub texts: String,
    /// Where each text ends, in bytes.
    pub text_ends: Vec<u32>,
    /// The byte strings, end to end.
    pub bytes: Vec<u8>,
    /// Where each byte string ends.
    pub byte_ends: Vec<u32>,
}

impl Cells {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Appends a value.
    pub fn push(&mut self, cell: Cell<'_>) {
        let tag = match cell {
            Cell::Null => 0,
            Cell::Bool(b) => 1 + u8::from(b),
            Cell::Integer(i) => {
                self.integers.push(i);
                3
            }
            Cell::Float(f) => {
                self.floats.push(f);
                4
            }
            Cell::Text(t) => {
                self.texts.push_str(t);
                self.text_ends.push(self.texts.len() as u32);
                5
            }
            Cell::Bytes(b) => {
                self.bytes.extend_from_slice(b);
                self.byte_ends.push(self.bytes.len() as u32);
                6
            }
        };
        self.tags.push(tag);
    }

    /// Reads the values from the first on.
    pub fn reader(&self) -> CellReader<'_> {
        CellReader {
            cells: self,
            tag: 0,
            integer: 0,
            float: 0,
            text: 0,
            text_start: 0,
            byte: 0,
            byte_start: 0,
        }
    }
}

/// The columns of a sequence of values do not agree with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCells {
    /// There are fewer values than are asked for.
    #[error("there are fewer values than the commands and keys call for")]
    TooFew,
    /// A tag names a list that has no more values.
    #[error("the tags call for more {0} than there are")]
    Missing(&'static str),
    /// A tag is none of those defined.
    #[error("{0} is not the tag of a value")]
    UnknownTag(u8),
    /// The ends do not ascend, or cut a character in two.
    #[error("the ends of the {0} do not ascend, go past the last byte or cut a character in two")]
    BadEnds(&'static str),
}

/// Reads values one after the other, trusting nothing about their columns.
#[derive(Debug, Clone)]
pub struct CellReader<'a> {
    cells: &'a Cells,
    tag: usize,
    integer: usize,
    float: usize,
    text: usize,
    text_start: usize,
    byte: usize,
    byte_start: usize,
}

impl<'a> CellReader<'a> {
    /// The next value.
    #[inline]
    pub fn next_cell(&mut self) -> Result<Cell<'a>, MalformedCells> {
        let tag = *self
            .cells
            .tags
            .get(self.tag)
            .ok_or(MalformedCells::TooFew)?;
        self.tag += 1;
        Ok(match tag {
            0 => Cell::Null,
            1 => Cell::Bool(false),
            2 => Cell::Bool(true),
            3 => Cell::Integer(take(&self.cells.integers, &mut self.integer, "integers")?),
            4 => Cell::Float(take(&self.cells.floats, &mut self.float, "floats")?),
            5 => Cell::Text(self.next_text()?),
            6 => Cell::Bytes(self.next_bytes()?),
            other => return Err(MalformedCells::UnknownTag(other)),
        })
    }

    /// Whether all values have been read.
    pub fn is_at_end(&self) -> bool {
        self.tag == self.cells.tags.len()
    }

    #[inline]
    fn next_text(&mut self) -> Result<&'a str, MalformedCells> {
        let end = take(&self.cells.text_ends, &mut self.text, "texts")? as usize;
        // `get` refuses a range that descends, overruns or cuts a character.
        let text = self
            .cells
            .texts
            .get(self.text_start..end)
            .ok_or(MalformedCells::BadEnds("texts"))?;
        self.text_start = end;
        Ok(text)
    }

    fn next_bytes(&mut self) -> Result<&'a [u8], MalformedCells> {
        let end = take(&self.cells.byte_ends, &mut self.byte, "byte strings")? as usize;
        let bytes = self
            .cells
            .bytes
            .get(self.byte_start..end)
            .ok_or(MalformedCells::BadEnds("byte strings"))?;
        self.byte_start = end;
        Ok(bytes)
    }
}

#[inline]
fn take<T: Copy>(list: &[T], at: &mut usize, what: &'static str) -> Result<T, MalformedCells> {
    let value = *list.get(*at).ok_or(MalformedCells::Missing(what))?;
    *at += 1;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_pushed() {
        let sent = [
            Cell::Text("é"),
            Cell::Null,
            Cell::Integer(-1),
            Cell::Bool(true),
            Cell::Float(0.5),
            Cell::Bytes(&[1, 2]),
            Cell::Text(""),
        ];
        let mut cells = Cells::default();
        sent.into_iter().for_each(|cell| cells.push(cell));
        let mut reader = cells.reader();
        for cell in sent {
            assert_eq!(reader.next_cell(), Ok(cell));
        }
        assert!(reader.is_at_end());
        assert_eq!(reader.next_cell(), Err(MalformedCells::TooFew));
    }

    #[test]
    fn columns_that_disagree_are_refused() {
        let refused = |cells: Cells| cells.reader().next_cell().unwrap_err();
        let tags = |tag| Cells {
            tags: vec![tag],
            ..Cells::default()
        };
        assert_eq!(refused(tags(3)), MalformedCells::Missing("integers"));
        assert_eq!(refused(tags(9)), MalformedCells::UnknownTag(9));
        let cut = Cells {
            texts: "é".into(),
            text_ends: vec![1],
            ..tags(5)
        };
        assert_eq!(refused(cut), MalformedCells::BadEnds("texts"));
        let past = Cells {
            bytes: vec![1],
            byte_ends: vec![7],
            ..tags(6)
        };
        assert_eq!(refused(past), MalformedCells::BadEnds("byte strings"));
    }
}

//! Files of events, one CloudEvent a line.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::parse::parse;
use crate::model::{Event, Timestamp};
use crate::source::append::check_parts;

/// The longest line read, in bytes: it bounds the memory that a file which has
/// no line breaks can take.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// The first byte of every gzip file. No line of JSON begins with it, so one
/// byte is enough to tell, and one byte is all that a pipe may have ready.
const GZIP_MAGIC: u8 = 0x1f;

/// Reads events line by line, from plain text or gzip. Blank lines are skipped.
///
/// A line that cannot be used does not end the iteration; a failure of the file
/// itself does, after it has been told.
pub struct ImportLines<R: BufRead> {
    input: Input<R>,
    received: Timestamp,
    number: u64,
    line: Vec<u8>,
    is_done: bool,
}

/// One line that is not blank.
#[derive(Debug)]
pub struct ImportedLine {
    /// The number of the line, from 1.
    pub number: u64,
    /// How much of the file has been read so far, before decompression.
    pub bytes_read: u64,
    /// The event on the line.
    pub event: Result<Event, LineError>,
}

/// A line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
    /// The line itself, so that it can be mended and appended; what is not UTF-8
    /// in it is replaced.
    pub text: String,
}

impl<R: BufRead> ImportLines<R> {
    /// Begins to read. `received` is the time of events that do not say theirs.
    pub fn new(mut input: R, received: Timestamp) -> io::Result<Self> {
        let is_gzip = input.fill_buf()?.first() == Some(&GZIP_MAGIC);
        let input = Counted { input, count: 0 };
        Ok(Self {
            input: match is_gzip {
                true => Input::Gzip(BufReader::with_capacity(
                    64 * 1024,
                    MultiGzDecoder::new(input),
                )),
                false => Input::Plain(input),
            },
            received,
            number: 0,
            line: Vec::new(),
            is_done: false,
        })
    }

    /// Reads the next line into `line`; returns whether there was one.
    fn read_line(&mut self) -> Result<bool, String> {
        self.line.clear();
        self.number += 1;
        let most = MAX_LINE_BYTES as u64 + 1;
        let input = self.input.as_read();
        let read = input.take(most).read_until(b'\n', &mut self.line);
        let is_too_long = self.line.len() > MAX_LINE_BYTES && self.line.last() != Some(&b'\n');
        let read = match read {
            Ok(_) if is_too_long => self.input.as_read().skip_until(b'\n'),
            read => read,
        };
        match read {
            Ok(read) => Ok(read > 0 || is_too_long),
            Err(error) => {
                self.is_done = true;
                Err(format!(
                    "the file cannot be read further: {}",
                    explain(&error)
                ))
            }
        }
    }

    fn parse_line(&self) -> Result<Option<Event>, String> {
        if self.line.len() > MAX_LINE_BYTES {
            return Err(format!("it is longer than {MAX_LINE_BYTES} bytes"));
        }
        let mut text = std::str::from_utf8(&self.line).map_err(|error| {
            format!(
                "it is not UTF-8 from its byte {} on",
                error.valid_up_to() + 1
            )
        })?;
        if self.number == 1 {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        match text.trim_ascii() {
            "" => Ok(None),
            json => parse(json, self.received)
                .map_err(|error| error.to_string())
                // What no store would keep is refused here, where the line is known.
                .and_then(|event| check_parts(&event).map(|()| Some(event))),
        }
    }
}

impl<R: BufRead> Iterator for ImportLines<R> {
    type Item = ImportedLine;

    fn next(&mut self) -> Option<ImportedLine> {
        while !self.is_done {
            let event = match self.read_line() {
                Ok(false) => {
                    self.is_done = true;
                    break;
                }
                Ok(true) => self.parse_line().transpose(),
                Err(reason) => Some(Err(reason)),
            };
            if let Some(event) = event {
                return Some(ImportedLine {
                    number: self.number,
                    bytes_read: self.input.bytes_read(),
                    event: event.map_err(|reason| LineError {
                        line: self.number,
                        reason,
                        text: String::from_utf8_lossy(&self.line).trim_end().to_owned(),
                    }),
                });
            }
        }
        None
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data end too early".to_owned(),
        _ => error.to_string(),
    }
}

enum Input<R: BufRead> {
    Plain(Counted<R>),
    Gzip(BufReader<MultiGzDecoder<Counted<R>>>),
}

impl<R: BufRead> Input<R> {
    fn as_read(&mut self) -> &mut dyn BufRead {
        match self {
            Input::Plain(input) => input,
            Input::Gzip(input) => input,
        }
    }

    fn bytes_read(&self) -> u64 {
        match self {
            Input::Plain(input) => input.count,
            Input::Gzip(input) => input.get_ref().get_ref().count,
        }
    }
}

/// Counts the bytes that go through.
struct Counted<R> {
    input: R,
    count: u64,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count += amount as u64;
        self.input.consume(amount);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(id: u32) -> String {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"t","subject":"x"}}"#)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// Number and id, or number and error, of every line.
    fn read(file: &[u8]) -> Vec<(u64, String)> {
        ImportLines::new(file, Timestamp(0))
            .unwrap()
            .map(|line| {
                (
                    line.number,
                    line.event.map_or_else(|e| e.to_string(), |e| e.id),
                )
            })
            .collect()
    }

    #[test]
    fn marks_line_ends_and_blank_lines_do_not_matter() {
        let file = format!("\u{feff}{}\r\n\r\n  \n{}", line(1), line(2));
        let both = [(1, "1".to_owned()), (4, "2".to_owned())];
        assert_eq!(read(file.as_bytes()), both);
        assert_eq!(read(&gzip(&file)), both);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_gzip_file_may_have_several_members() {
        let file = [gzip(&format!("{}\n", line(1))), gzip(&line(2))].concat();
        assert_eq!(read(&file), [(1, "1".to_owned()), (2, "2".to_owned())]);
        let last = ImportLines::new(file.as_slice(), Timestamp(0))
            .unwrap()
            .last()
            .unwrap();
        assert_eq!(last.bytes_read, file.len() as u64);
    }

    #[test]
    fn a_bad_line_is_named_and_does_not_hide_the_next() {
        let mut file = format!("{}\n{{\n", line(1)).into_bytes();
        file.extend(b"ab\xff\n");
        file.extend(line(4).bytes());
        let lines = read(&file);
        assert_eq!(lines[0], (1, "1".to_owned()));
        assert!(
            lines[1].1.starts_with("line 2: it is not a JSON object"),
            "{}",
            lines[1].1
        );
        assert_eq!(lines[2].1, "line 3: it is not UTF-8 from its byte 3 on");
        assert_eq!(lines[3], (4, "4".to_owned()));
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_in_memory() {
        let file = format!(
            "{}\n{}\n{}",
            line(1),
            "x".repeat(MAX_LINE_BYTES + 5),
            line(3)
        );
        let lines = read(file.as_bytes());
        assert_eq!(
            lines[1],
            (2, "line 2: it is longer than 16777216 bytes".to_owned())
        );
        assert_eq!(lines[2], (3, "3".to_owned()));
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_truncated_gzip_file_ends_with_an_error() {
        let text: String = (0..1_000).map(|id| line(id) + "\n").collect();
        let file = gzip(&text);
        let lines = read(&file[..file.len() - 9]);
        let (number, error) = lines.last().unwrap();
        assert!(
            error.contains("the compressed data end too early"),
            "{number} {error}"
        );
        assert!(lines.len() < 1_002);
        assert!(!read(b"\x1f\x8bnonsense").is_empty());
    }
}

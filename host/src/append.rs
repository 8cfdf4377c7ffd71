//! Appends a file of events to the event store: all of it, or all but what is
//! rejected.

use std::io::{BufReader, Read, Write};
use std::sync::Arc;

use serde::Serialize;

use crate::model::{Event, Position, Timestamp};
use crate::source::cloudevents::{ImportLines, LineError};
use crate::source::{Appended, EventImport, EventStore, SourceError};

/// Events handed to the store at once.
const CHUNK: usize = 1_000;

/// How far an append has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppendProgress {
    /// Bytes read of the file, before decompression.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Events handed to the store.
    pub events: u64,
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AppendReport {
    /// Events that are new.
    pub appended: u64,
    /// Events that were there already, by their ids.
    pub duplicates: u64,
    /// Lines that were rejected.
    pub rejected: u64,
    /// The position that a read model must reach to show all of them.
    pub last_position: Option<Position>,
}

/// Why an append failed. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A line is wrong.
    #[error("nothing was appended, because of line {}: {}", .0.line, .0.reason)]
    Line(LineError),
    /// The file cannot be read.
    #[error("the events cannot be read")]
    Read(#[source] std::io::Error),
    /// The rejects cannot be written.
    #[error("the rejected lines cannot be written")]
    Rejects(#[source] std::io::Error),
    /// The event store refused.
    #[error("nothing was appended")]
    Store(#[from] SourceError),
}

/// Told how an append goes, a few times a second at most.
pub type OnProgress = Arc<dyn Fn(AppendProgress) + Send + Sync>;

/// Appends CloudEvents, one a line, plain or gzip, in one transaction.
///
/// Without `rejects`, a wrong line means that nothing is appended. With it, the
/// right lines are appended and the wrong ones are written there, as JSON
/// objects with the line's number, the reason and the line itself.
///
/// # Errors
///
/// Names the first wrong line, or says what else is in the way.
pub async fn append(
    store: &dyn EventStore,
    input: Box<dyn Read + Send>,
    rejects: Option<Box<dyn Write + Send>>,
    progress: OnProgress,
) -> Result<AppendReport, AppendError> {
    let import = store.import().await?;
    let appending = tokio::task::spawn_blocking(move || {
        let mut append = Append {
            import,
            rejects,
            progress,
            so_far: AppendProgress::default(),
            rejected: 0,
            chunk: Vec::with_capacity(CHUNK),
        };
        append.lines(input)?;
        append.finish()
    });
    match appending.await {
        Ok(done) => done,
        // Never aborted, so it can only have panicked: pass that on.
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
}

struct Append {
    import: Box<dyn EventImport>,
    rejects: Option<Box<dyn Write + Send>>,
    progress: OnProgress,
    so_far: AppendProgress,
    rejected: u64,
    chunk: Vec<Event>,
}

impl Append {
    fn lines(&mut self, input: Box<dyn Read + Send>) -> Result<(), AppendError> {
        let input = BufReader::with_capacity(1 << 16, input);
        let lines = ImportLines::new(input, Timestamp::now()).map_err(AppendError::Read)?;
        for line in lines {
            self.so_far.bytes = line.bytes_read;
            self.so_far.lines = line.number;
            match line.event {
                Ok(event) => self.chunk.push(event),
                Err(wrong) => self.reject(wrong)?,
            }
            if self.chunk.len() == CHUNK {
                self.push()?;
            }
        }
        self.push()
    }

    fn push(&mut self) -> Result<(), AppendError> {
        self.so_far.events += self.chunk.len() as u64;
        self.import.push(std::mem::take(&mut self.chunk))?;
        (self.progress)(self.so_far);
        Ok(())
    }

    fn reject(&mut self, wrong: LineError) -> Result<(), AppendError> {
        let Some(rejects) = &mut self.rejects else {
            return Err(AppendError::Line(wrong));
        };
        self.rejected += 1;
        let text =
            serde_json::json!({ "line": wrong.line, "reason": wrong.reason, "text": wrong.text });
        writeln!(rejects, "{text}").map_err(AppendError::Rejects)
    }

    fn finish(mut self) -> Result<AppendReport, AppendError> {
        // First the rejects: if they are lost, the good lines must not go in alone.
        if let Some(rejects) = &mut self.rejects {
            rejects.flush().map_err(AppendError::Rejects)?;
        }
        let Appended {
            appended,
            duplicates,
            last_position,
        } = self.import.finish()?;
        Ok(AppendReport {
            appended,
            duplicates,
            rejected: self.rejected,
            last_position,
        })
    }
}

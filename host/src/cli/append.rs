//! `lantern append`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::context::{Context, Talk};
use super::error::CliError;
use super::numbers::{bytes, counted, duration, rate};
use super::output::{print, print_json_line};
use super::progress::Progress;
use crate::operations::{self, AppendProgress, AppendReport, OnProgress};

/// Append events from a file: CloudEvents 1.0 as JSON, one a line, plain or gzip
///
/// All of the file is appended in one transaction, or nothing. An event whose
/// id is known from the same source is not appended again, so a file may be
/// given twice. The last position is what a read model must reach to show all
/// of them: `lantern wait` waits for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern append events.jsonl
  lantern append events.jsonl.gz --rejects wrong.jsonl
  produce-events | lantern append - --json | jq .last_position")]
pub(super) struct Append {
    /// The file, or - for stdin
    file: PathBuf,

    /// Append the rest although some lines are wrong, and write those to FILE
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// JSON instead of a sentence
    #[arg(long)]
    json: bool,
}

impl Append {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let (input, size) = self.open_input()?;
        let rejects = self
            .rejects
            .as_deref()
            .map(|path| self.open_rejects(path))
            .transpose()?;
        let lantern = context.open().await?;
        let progress = on_progress(context.talk, size);
        let report = operations::append(&lantern, input, rejects, progress).await?;
        match self.json {
            true => print_json_line(&report),
            false => print(&self.summary(&report)),
        }
    }

    /// The events, and how many bytes they are, if that is known.
    fn open_input(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), CliError> {
        if self.file == Path::new("-") {
            return Ok((Box::new(std::io::stdin()), None));
        }
        let unreadable = |error| CliError::file("read", &self.file, error);
        let file = File::open(&self.file).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        let size = about.is_file().then_some(about.len());
        Ok((Box::new(file), size))
    }

    fn open_rejects(&self, path: &Path) -> Result<Box<dyn Write + Send>, CliError> {
        let same = |a: &Path, b: &Path| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
        if same(path, &self.file) == Some(true) {
            return Err(CliError::user(
                format!("{} would be overwritten by its own rejects", path.display()),
                "name another file for --rejects",
            ));
        }
        let file = File::create(path).map_err(|error| CliError::file("write", path, error))?;
        Ok(Box::new(std::io::BufWriter::new(file)))
    }

    fn summary(&self, report: &AppendReport) -> String {
        let mut text = format!("appended {}", counted(report.appended, "event"));
        if report.duplicates > 0 {
            text += &format!("; {} there already", counted(report.duplicates, "event"));
        }
        if let (Some(path), true) = (&self.rejects, report.rejected > 0) {
            text += &format!(
                "; {} rejected, see {}",
                counted(report.rejected, "line"),
                path.display()
            );
        }
        if let Some(position) = report.last_position {
            text += &format!("; last position {position}");
        }
        text
    }
}

fn on_progress(talk: Talk, size: Option<u64>) -> OnProgress {
    let progress = Progress::new(talk);
    let begun = Instant::now();
    Arc::new(move |now| {
        let seconds = begun.elapsed().as_secs_f64();
        let message = message(now, size, seconds);
        match size {
            Some(size) => progress.show(now.bytes, size, &message),
            None => progress.show_moving(&message),
        }
    })
}

fn message(now: AppendProgress, size: Option<u64>, seconds: f64) -> String {
    let speed = now.events as f64 / seconds.max(0.001);
    let mut text = format!(
        "{}, {}, {}",
        counted(now.events, "event"),
        bytes(now.bytes),
        rate(speed)
    );
    if let Some(left) = size
        .map(|size| size.saturating_sub(now.bytes))
        .filter(|_| now.bytes > 0)
    {
        text += &format!(
            ", {} left",
            duration(seconds * left as f64 / now.bytes as f64)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_events_rate_and_time_left_by_bytes() {
        let now = AppendProgress {
            bytes: 1 << 20,
            lines: 2_000,
            events: 2_000,
        };
        assert_eq!(
            message(now, Some(3 << 20), 2.0),
            "2,000 events, 1.0 MiB, 1.0k/s, 4s left"
        );
        assert_eq!(message(now, None, 2.0), "2,000 events, 1.0 MiB, 1.0k/s");
    }
}

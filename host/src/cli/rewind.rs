//! `lantern rewind`.

use clap::{ArgGroup, Args};

use super::context::Context;
use super::error::CliError;
use super::estimate_text::print_estimate;
use super::output::print;
use super::rebuild::{conclude, wait};
use crate::model::{Position, Timestamp, TimestampError};
use crate::operations::{self, Extent, RewindTo};

/// Take a projector back to where its read models once stood
///
/// Its rows as of then are built beside the live ones, and both change places at
/// once. The projector stands there, paused, until it is resumed; the rows it had
/// are kept for `lantern rollback`. Without --wait, the host that runs does the
/// work in the background, or the next one that is started.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true), after_help = "\
Examples:
  lantern rewind orders --to-position 4710 --wait
  lantern rewind orders --to-time 2026-01-31T09:30:00Z --dry-run
  lantern resume orders                                  go on from there
  lantern rollback orders                                or have the former rows back")]
pub(super) struct Rewind {
    /// The projector
    name: String,

    /// To just after the event at this position; 0 is before the first
    #[arg(long, value_name = "N", group = "to")]
    to_position: Option<u64>,

    /// To just after the last event in the log that happened at or before this
    /// time (RFC 3339)
    #[arg(long, value_name = "TIME", group = "to", value_parser = parse_time)]
    to_time: Option<Timestamp>,

    /// Wait until readers see the rows; does the work itself when no host runs
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,

    /// Change nothing; say how many events would be read, and what it would cost
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run, JSON instead of sentences
    #[arg(long, requires = "dry_run")]
    json: bool,
}

impl Rewind {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let to = match (self.to_position, self.to_time) {
            (_, Some(time)) => RewindTo::Time(time),
            (position, None) => RewindTo::Position(Position(position.unwrap_or_default())),
        };
        if self.dry_run {
            let extent = Extent::Rewind(to);
            let estimate = operations::estimate(&lantern, &self.name, &extent).await?;
            return print_estimate(&estimate, self.json);
        }
        let (generation, position) = operations::rewind(&lantern, &self.name, to).await?;
        let what = format!("the rewind of {} to position {position}", self.name);
        if !self.wait {
            return print(&format!("{what} is begun as generation {generation}"));
        }
        let end = wait(context, &lantern, &self.name, generation).await?;
        conclude(&self.name, &what, end, || {
            format!(
                "{0} is rewound: readers see its rows as of position {position}, and it stands \
                 there\n`lantern resume {0}` goes on from there; `lantern rollback {0}` brings the \
                 former rows back",
                self.name
            )
        })
    }
}

fn parse_time(text: &str) -> Result<Timestamp, TimestampError> {
    Timestamp::parse(text)
}

//! `lantern run`.

use std::path::Path;

use clap::Args;

use super::context::{Context, Talk};
use super::error::CliError;
use super::numbers::counted;
use super::output::print;
use super::signals::stop_on_signals;
use super::status_text::{failure_text, refused_text};
use crate::config::Settings;
use crate::operations::{self, RunReport, Until};

/// Project events into read models, and watch the folder for projectors
///
/// Put a component into the watched folder and it is loaded; change it and it is
/// replaced; give it another version and it is rebuilt beside the live one.
/// Ctrl-C finishes the batches at work and stops; a second one stops at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern run
  lantern run --until-caught-up     project all there is, then end
  lantern run --projectors build/components --set limits.memory_mib=256")]
pub(super) struct Run {
    /// End when every projector has read to the end of the log and every rebuild
    /// is done; exits with 1 when a projector failed
    #[arg(long)]
    until_caught_up: bool,
}

impl Run {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_patiently().await?;
        let stop = stop_on_signals()?;
        if context.talk != Talk::Quiet {
            eprint!("{}", places(context.settings()));
        }
        let until = if self.until_caught_up {
            Until::CaughtUp
        } else {
            Until::Stopped
        };
        let report = operations::run(&lantern, until, stop.clone()).await?;
        if !self.until_caught_up {
            return Ok(());
        }
        print(&summary(&report))?;
        if *stop.borrow() {
            Err(stopped_early())
        } else {
            conclude(&report)
        }
    }
}

fn places(settings: &Settings) -> String {
    let shown = |key: &str, path: &Path| {
        let url = settings.shown(key);
        if url.is_empty() {
            path.display().to_string()
        } else {
            url
        }
    };
    format!(
        "projectors   {}\nevents       {}\nread models  {}\n",
        settings.projectors_dir.display(),
        shown("event_store.url", &settings.event_store.path),
        shown("read_store.url", &settings.read_store.path),
    )
}

fn stopped_early() -> CliError {
    CliError::user(
        "stopped before everything had caught up",
        "run it again: it goes on from the checkpoints",
    )
}

fn conclude(report: &RunReport) -> Result<(), CliError> {
    match (report.failed.len(), report.refused.len()) {
        (0, 0) => Ok(()),
        (0, refused) => Err(CliError::user(
            format!("{} refused", counted(refused as u64, "file")),
            "mend them or take them out of the watched folder",
        )),
        (failed, _) => Err(CliError::user(
            format!("{} failed", counted(failed as u64, "projector")),
            "`lantern status` shows this again; `lantern resume NAME` tries again",
        )),
    }
}

fn summary(report: &RunReport) -> String {
    let all = counted(report.projectors as u64, "projector");
    let mut text = format!("{all}, {} failed\n", report.failed.len());
    for (name, failure) in &report.failed {
        text += &failure_text(&format!("{name} failed"), failure);
    }
    text + &refused_text(&report.refused)
}

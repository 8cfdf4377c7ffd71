//! `lantern new`.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output::print;
use crate::operations;

/// Make a projector in Rust, ready to build: code, tests, events to try it on
///
/// The SDK is copied along into `vendor/`, so nothing but its dependencies comes
/// from the network.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern new visits
  lantern new page-visits --dir projects/visits")]
pub(super) struct New {
    /// The projector: lower-case letters, digits, `_` or `-`
    name: String,

    /// The folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl New {
    pub(super) fn execute(self) -> Result<(), CliError> {
        let dir = self.dir.unwrap_or_else(|| PathBuf::from(&self.name));
        operations::new_projector(&self.name, &dir)?;
        let dir = dir.display();
        print(&format!(
            "made {dir}; next:\n  \
             lantern build {dir}\n  \
             lantern append {dir}/events.jsonl\n  \
             lantern run --until-caught-up\n"
        ))
    }
}

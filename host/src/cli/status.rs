//! `lantern status`.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::output::{print, print_json, print_json_line};
use super::status_text::status_text;
use crate::operations::{self, Lantern};

/// How often `--watch` looks.
const LOOK: Duration = Duration::from_secs(1);

/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Show how projectors stand: version, state, position, lag, rebuilds, failures
///
/// Works whether or not a host runs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern status
  lantern status --watch
  lantern status --json | jq '.projectors[] | {name, state, lag}'")]
pub(super) struct ShowStatus {
    /// JSON instead of a table; with --watch, one object a line
    #[arg(long)]
    json: bool,

    /// Show it anew each second until Ctrl-C
    #[arg(long)]
    watch: bool,
}

impl ShowStatus {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        if self.watch {
            self.watch(&lantern).await
        } else {
            self.once(&lantern).await
        }
    }

    async fn once(&self, lantern: &Lantern) -> Result<(), CliError> {
        let status = operations::status(lantern).await?;
        if self.json {
            print_json(&status)
        } else {
            print(&status_text(&status))
        }
    }

    async fn watch(&self, lantern: &Lantern) -> Result<(), CliError> {
        let clear = if std::io::stdout().is_terminal() {
            CLEAR
        } else {
            "\n"
        };
        loop {
            let status = operations::status(lantern).await?;
            if self.json {
                print_json_line(&status)?;
            } else {
                // In one piece, so that the screen does not flicker.
                print(&format!("{clear}{}", status_text(&status)))?;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

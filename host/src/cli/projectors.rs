//! The short verbs on one projector: `pause`, `resume`, `rollback`, `drop`.

use std::io::{IsTerminal, Write};

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::output::print;
use crate::operations;

/// Have a projector stand still, over restarts too
///
/// Its read models stay as they are. `lantern resume` lets it go on.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lantern pause orders")]
pub(super) struct Pause {
    /// The projector
    name: String,
}

impl Pause {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        operations::pause(&context.open_existing().await?, &self.name).await?;
        print(&format!("{} is paused", self.name))
    }
}

/// Let a projector go on that was paused or that failed
///
/// After a failure the same event is tried again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lantern resume orders")]
pub(super) struct Resume {
    /// The projector
    name: String,
}

impl Resume {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        operations::resume(&context.open_existing().await?, &self.name).await?;
        print(&format!("{} goes on", self.name))
    }
}

/// Give readers the former generation back, at once
///
/// The former generation is kept after a swap until the next one. The file in
/// the watched folder is left alone until it changes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lantern rollback orders")]
pub(super) struct Rollback {
    /// The projector
    name: String,
}

impl Rollback {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let name = &self.name;
        let version = operations::roll_back(&lantern, name).await?;
        // As it was after a rewind, say.
        let paused = match operations::is_paused(&lantern, name).await? {
            true => format!("\n{name} is paused: `lantern resume {name}` has it go on"),
            false => String::new(),
        };
        print(&format!(
            "{name} is rolled back: readers see version {version}{paused}"
        ))
    }
}

/// Remove a projector with its read models
///
/// Its events stay. Remove its file from the watched folder too, or the next
/// host loads and rebuilds it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern drop orders
  lantern drop orders --yes     in a script")]
pub(super) struct Drop {
    /// The projector
    name: String,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Drop {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        if !self.yes && !self.is_confirmed()? {
            return print("nothing was dropped");
        }
        operations::drop_projector(&context.open_existing().await?, &self.name).await?;
        print(&format!("{} is dropped", self.name))
    }

    fn is_confirmed(&self) -> Result<bool, CliError> {
        if !std::io::stdin().is_terminal() {
            return Err(CliError::user(
                format!(
                    "dropping {} removes its read models, and there is no terminal to ask at",
                    self.name
                ),
                "give --yes to drop it without being asked",
            ));
        }
        let mut stderr = std::io::stderr();
        let asked = write!(stderr, "drop {} and its read models? [y/N] ", self.name)
            .and_then(|()| stderr.flush());
        asked.map_err(CliError::output)?;
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| CliError::environment("cannot read the answer", error))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

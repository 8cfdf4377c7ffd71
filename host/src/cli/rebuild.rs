//! `lantern rebuild`.

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::numbers::counted;
use super::output::print;
use super::progress::Progress;
use super::status_text::{building_text, done_of, failure_text};
use crate::operations::{self, ProjectorStatus, RebuildEnd};

/// Build a projector's read models anew, beside the live ones
///
/// Readers see the former rows until the new ones have caught up; then both
/// change places at once. Without --wait, the host that runs does the work in
/// the background, or the next one that is started.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern rebuild orders
  lantern rebuild orders --wait")]
pub(super) struct Rebuild {
    /// The projector
    name: String,

    /// Wait for the end; does the work itself when no host runs
    #[arg(long)]
    wait: bool,
}

impl Rebuild {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let generation = operations::rebuild(&lantern, &self.name).await?;
        if !self.wait {
            return print(&format!(
                "rebuild of {} begun as generation {generation}",
                self.name
            ));
        }
        let end = {
            let progress = Progress::new(context.talk);
            operations::wait_for_rebuild(&lantern, &self.name, generation, |now| {
                show(&progress, now)
            })
            .await?
        };
        self.conclude(end)
    }

    fn conclude(&self, end: RebuildEnd) -> Result<(), CliError> {
        let name = &self.name;
        match end {
            RebuildEnd::Live => print(&format!("{name} is rebuilt: readers see the new rows")),
            RebuildEnd::Failed(failure) => {
                print(&failure_text(
                    &format!("the rebuild of {name} failed"),
                    &failure,
                ))?;
                Err(CliError::user(
                    format!("the rebuild of {name} failed; readers still see the former rows"),
                    format!("`lantern status` shows how {name} stands"),
                ))
            }
            RebuildEnd::Replaced => Err(CliError::user(
                format!(
                    "the rebuild of {name} was given up for another rebuild, a rollback or a drop"
                ),
                format!("`lantern status` shows how {name} stands"),
            )),
        }
    }
}

fn show(progress: &Progress, projector: &ProjectorStatus) {
    match &projector.building {
        Some(building) => {
            let (done, total) = done_of(building);
            let left = counted(building.lag, "event");
            progress.show(
                done,
                total,
                &format!("{}; {left} to go", building_text(building)),
            );
        }
        None => progress.show_moving("waiting for the swap"),
    }
}

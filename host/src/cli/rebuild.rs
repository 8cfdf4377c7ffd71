//! `lantern rebuild`.

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::estimate_text::print_estimate;
use super::numbers::counted;
use super::output::print;
use super::progress::Progress;
use super::status_text::{building_text, done_of, failure_text};
use crate::model::{GenerationId, Part};
use crate::operations::{self, Extent, Lantern, ProjectorStatus, RebuildEnd};

/// Build a projector's read models anew, beside the live ones
///
/// Readers see the former rows until the new ones have caught up; then both
/// change places at once. With --tenant or --stream, only the rows of that tenant
/// or stream are made anew, where all tables are keyed by it; the projector goes
/// on meanwhile. Without --wait, the host that runs does the work in the
/// background, or the next one that is started.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern rebuild orders
  lantern rebuild orders --wait
  lantern rebuild orders --tenant acme --wait
  lantern rebuild orders --dry-run")]
pub(super) struct Rebuild {
    /// The projector
    name: String,

    /// Only the rows of this tenant; "" is that of events without one
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Only the rows of this stream; with --tenant, of this tenant's
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,

    /// Wait for the end; does the work itself when no host runs
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,

    /// Change nothing; say how many events would be read, and what it would cost
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run, JSON instead of sentences
    #[arg(long, requires = "dry_run")]
    json: bool,
}

impl Rebuild {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let name = &self.name;
        let part = (self.tenant.is_some() || self.stream.is_some()).then(|| Part {
            tenant: self.tenant.clone(),
            stream: self.stream.clone(),
        });
        if self.dry_run {
            let extent = part.map_or(Extent::All, Extent::Part);
            let estimate = operations::estimate(&lantern, name, &extent).await?;
            return print_estimate(&estimate, self.json);
        }
        let (what, generation) = match &part {
            None => (
                format!("rebuild of {name}"),
                operations::rebuild(&lantern, name).await?,
            ),
            Some(part) => (
                format!("rebuild of {part} in {name}"),
                operations::rebuild_part(&lantern, name, part).await?,
            ),
        };
        if !self.wait {
            return print(&format!("{what} begun as generation {generation}"));
        }
        let end = wait(context, &lantern, name, generation).await?;
        conclude(name, &format!("the {what}"), end, || match &part {
            None => format!("{name} is rebuilt: readers see the new rows"),
            Some(part) => format!("{part} is rebuilt in {name}: readers see the new rows"),
        })
    }
}

/// Waits for a rebuild, and shows how far it is.
pub(super) async fn wait(
    context: &Context,
    lantern: &Lantern,
    name: &str,
    generation: GenerationId,
) -> Result<RebuildEnd, CliError> {
    let progress = Progress::new(context.talk);
    let end = operations::wait_for_rebuild(lantern, name, generation, |now| show(&progress, now));
    Ok(end.await?)
}

/// Tells how a rebuild ended. `what` begins with "the".
pub(super) fn conclude(
    name: &str,
    what: &str,
    end: RebuildEnd,
    done: impl FnOnce() -> String,
) -> Result<(), CliError> {
    let next = format!("`lantern status` shows how {name} stands");
    match end {
        RebuildEnd::Live => print(&done()),
        RebuildEnd::Failed(failure) => {
            print(&failure_text(&format!("{what} failed"), &failure))?;
            let failed = format!("{what} failed; readers still see the former rows");
            Err(CliError::user(failed, next))
        }
        RebuildEnd::Replaced => {
            let replaced = format!("{what} was given up for another rebuild, a rollback or a drop");
            Err(CliError::user(replaced, next))
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

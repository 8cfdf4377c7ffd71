//! `lantern build`.

use std::path::PathBuf;

use clap::Args;

use super::context::{Context, Talk};
use super::error::CliError;
use super::numbers::bytes;
use super::output::print;
use super::progress::Progress;
use crate::operations::{self, BuildRequest, BuiltComponent, InstallPolicy, ToolchainError};

/// Compile Rust projectors into components, into the watched folder
///
/// Needs a Rust compiler with the target wasm32-unknown-unknown, or one that can
/// build its standard library; no other tool. A host that runs takes the new
/// component into use.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern build
  lantern build visits
  lantern build examples --package orders --out components")]
pub(super) struct Build {
    /// The folder of a crate or workspace
    #[arg(default_value = ".")]
    path: PathBuf,

    /// Where the components go [default: the watched folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Only this package of the workspace
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,

    /// Build cargo examples that are components, too
    #[arg(long)]
    examples: bool,

    /// Install a compiler for the target if there is none, where the system's
    /// packages have one
    #[arg(long)]
    install_toolchain: bool,
}

impl Build {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let out_dir = self
            .out
            .clone()
            .unwrap_or_else(|| context.settings().projectors_dir.clone());
        let talk = context.talk;
        let building = tokio::task::spawn_blocking(move || self.build(out_dir, talk));
        let built = match building.await {
            Ok(built) => built?,
            // Never aborted, so it can only have panicked: pass that on.
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        };
        print(&built.iter().map(built_text).collect::<String>())
    }

    fn build(self, out_dir: PathBuf, talk: Talk) -> Result<Vec<BuiltComponent>, ToolchainError> {
        let progress = Progress::new(talk);
        operations::build(&BuildRequest {
            manifest_dir: self.path,
            out_dir,
            package: self.package,
            include_examples: self.examples,
            install: if self.install_toolchain {
                InstallPolicy::IfMissing
            } else {
                InstallPolicy::Never
            },
            // What cargo has to say in the end stands in the error.
            progress: &|line| progress.show_moving(line),
        })
    }
}

fn built_text(built: &BuiltComponent) -> String {
    let news = if built.changed { "" } else { ", unchanged" };
    format!("{} ({}{news})\n", built.path.display(), bytes(built.size))
}

//! The flags that every command has.

use std::path::PathBuf;

use clap::Args;

use crate::config::{ConfigError, Flag};

/// The flags that every command has.
#[derive(Debug, Args)]
pub(super) struct Globals {
    /// File of settings [default: lantern.toml in this directory, if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub(super) config: Option<PathBuf>,

    /// Folder of the stores [setting: data_dir]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    data_dir: Option<String>,

    /// Watched folder of projectors [setting: projectors_dir]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    projectors: Option<String>,

    /// Any setting, e.g. limits.memory_mib=256; `lantern config` lists them
    #[arg(
        long,
        global = true,
        value_name = "KEY=VALUE",
        help_heading = "Settings"
    )]
    set: Vec<String>,

    /// What is logged: a level, or directives such as info,lantern::worker=debug
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    log: Option<String>,

    /// No progress and no log lines below warnings
    #[arg(short, long, global = true, help_heading = "Settings")]
    pub(super) quiet: bool,
}

impl Globals {
    /// The settings among the flags, weakest first.
    pub(super) fn flags(&self) -> Result<Vec<Flag>, ConfigError> {
        let quiet = self.quiet.then(|| "warn".to_owned());
        let mut flags: Vec<Flag> = flag("--quiet", "log.filter", quiet.as_ref())
            .into_iter()
            .collect();
        for assignment in &self.set {
            flags.push(Flag::set(assignment)?);
        }
        flags.extend(flag("--data-dir", "data_dir", self.data_dir.as_ref()));
        flags.extend(flag(
            "--projectors",
            "projectors_dir",
            self.projectors.as_ref(),
        ));
        flags.extend(flag("--log", "log.filter", self.log.as_ref()));
        Ok(flags)
    }
}

fn flag(name: &str, key: &str, value: Option<&String>) -> Option<Flag> {
    value.map(|value| Flag {
        name: name.into(),
        key: key.into(),
        value: value.clone(),
    })
}

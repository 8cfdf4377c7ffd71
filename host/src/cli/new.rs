//! `lantern new`.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::output::print;
use super::template;
use crate::model::check_name;

/// Crates that Rust itself brings; another of that name would hide them.
const TAKEN: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

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
        let ident = checked_ident(&self.name)?;
        let dir = self.dir.unwrap_or_else(|| PathBuf::from(&self.name));
        let is_taken = match std::fs::read_dir(&dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(CliError::file("use", &dir, error)),
        };
        if is_taken {
            let text = format!("{} is there already and not empty", dir.display());
            return Err(CliError::user(
                text,
                "give another name, or another folder with --dir",
            ));
        }
        template::write(
            &dir,
            &template::Names {
                name: &self.name,
                ident: &ident,
            },
        )?;
        let dir = dir.display();
        print(&format!(
            "made {dir}; next:\n  \
             lantern build {dir}\n  \
             lantern append {dir}/events.jsonl\n  \
             lantern run --until-caught-up\n"
        ))
    }
}

/// The projector's name for a crate's name: with `_` for `-`.
fn checked_ident(name: &str) -> Result<String, CliError> {
    let ident = name.replace('-', "_");
    check_name("projector", &ident).map_err(|wrong| {
        CliError::user(wrong.to_string(), "for example: lantern new page_visits")
    })?;
    if TAKEN.contains(&ident.as_str()) {
        let text = format!("projector name `{ident}` is a library of Rust's own");
        return Err(CliError::user(text, "choose another name"));
    }
    Ok(ident)
}

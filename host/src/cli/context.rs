//! What a command works with: settings and how much to say.

use std::io::IsTerminal;

use super::error::CliError;
use super::globals::Globals;
use crate::config::{Origin, Resolved, Settings, gather, resolve};
use crate::operations::Lantern;
use crate::telemetry::start_logging;

/// What a command works with.
pub(super) struct Context {
    /// The settings, and where each came from.
    pub(super) resolved: Resolved,
    /// How much to say beside results.
    pub(super) talk: Talk,
}

/// How much to say on stderr beside results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    /// Nothing.
    Quiet,
    /// Lines now and then: nobody looks, or a log is written.
    Lines,
    /// Bars that move: a person looks.
    Bars,
}

/// How a command speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// By its log: it runs until it is stopped.
    Log,
    /// By its result: unless asked, it logs warnings only.
    Result,
}

impl Context {
    /// Finds the settings and starts logging.
    pub(super) fn new(globals: Globals, voice: Voice) -> Result<Self, CliError> {
        let flags = globals.flags()?;
        let resolved = resolve(&gather(globals.config, flags)?)?;
        let mut log = resolved.settings.log.clone();
        if voice == Voice::Result && *resolved.origin("log.filter") == Origin::Default {
            log.filter = "warn".into();
        }
        start_logging(&log)
            .map_err(|error| CliError::environment("cannot start logging", error))?;
        let talk = match (globals.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Bars,
            (false, false) => Talk::Lines,
        };
        Ok(Self { resolved, talk })
    }

    /// The settings.
    pub(super) fn settings(&self) -> &Settings {
        &self.resolved.settings
    }

    /// Opens the stores that are there.
    pub(super) async fn open_existing(&self) -> Result<Lantern, CliError> {
        Ok(Lantern::open_existing(self.settings().clone()).await?)
    }

    /// Opens the stores, and makes them where there are none.
    pub(super) async fn open(&self) -> Result<Lantern, CliError> {
        Ok(Lantern::open(self.settings().clone()).await?)
    }

    /// Opens the stores; waits for a database that cannot be reached.
    pub(super) async fn open_patiently(&self) -> Result<Lantern, CliError> {
        Ok(Lantern::open_patiently(self.settings().clone()).await?)
    }
}

//! From what the user said to what is true. Pure: no file, no environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::defaults::{SETTINGS, Setting, setting};
use super::error::ConfigError;
use super::event_table::Preset;
use super::field::{Given, SettingValue};
use super::file;
use super::nearest::nearest;
use super::of_projector::{self, OfProjector, SaidOfProjectors};
use super::settings::Settings;

/// All that settings are made of.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `lantern.toml`, if there is one.
    pub file: Option<FileText>,
    /// The environment variables. Those that are no settings are passed over:
    /// the prefix may be in use for other things, too.
    pub environment: BTreeMap<String, String>,
    /// The flags. Of two for the same setting, the later counts.
    pub flags: Vec<Flag>,
}

/// A file of settings.
#[derive(Debug, Clone)]
pub struct FileText {
    /// Where it is. Relative paths in it are taken from its folder.
    pub path: PathBuf,
    /// What is written in it.
    pub text: String,
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag, as the user knows it: `--data-dir`, `--set`.
    pub name: String,
    /// The setting.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl Flag {
    /// Reads the argument of `--set`.
    pub fn set(argument: &str) -> Result<Self, ConfigError> {
        let (key, value) = argument
            .split_once('=')
            .ok_or_else(|| ConfigError::NotAnAssignment(argument.to_owned()))?;
        Ok(Self {
            name: "--set".into(),
            key: key.trim().into(),
            value: value.trim().into(),
        })
    }
}

/// Where the value of a setting came from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of `lantern.toml`, from 1.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

/// Settings, and where each value came from.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The settings.
    pub settings: Settings,
    /// In the order of [`SETTINGS`].
    origins: Vec<Origin>,
    /// What was said of single projectors, in the order of their names.
    of_projector: Vec<OfProjector>,
}

/// One setting, resolved.
pub struct ResolvedSetting {
    /// Its key; one of a single projector begins with `projectors.NAME.`.
    pub key: String,
    /// The setting.
    pub setting: &'static Setting,
    /// Its value.
    pub value: SettingValue,
    /// Where the value came from.
    pub origin: Origin,
}

impl ResolvedSetting {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        match self.key == self.setting.key {
            true => self.setting.variable(),
            false => format!("LANTERN_{}", self.key.replace('.', "_").to_uppercase()),
        }
    }
}

impl Resolved {
    /// Every setting with its value and origin, then those that were said of
    /// single projectors.
    pub fn entries(&self) -> Vec<ResolvedSetting> {
        let mut settings = self.settings.clone();
        let origins = self.origins.iter().cloned();
        let of_all = SETTINGS
            .iter()
            .zip(origins)
            .map(|(setting, origin)| ResolvedSetting {
                key: setting.key.to_owned(),
                setting,
                value: setting.field.read(&mut settings),
                origin,
            });
        let of_single = self
            .of_projector
            .iter()
            .map(|said| said.entry(&self.settings));
        of_all.chain(of_single).collect()
    }

    /// Where the value of a setting came from; [`Origin::Default`] for a key
    /// that there is not.
    pub fn origin(&self, key: &str) -> &Origin {
        setting(key).map_or(&Origin::Default, |(i, _)| &self.origins[i])
    }
}

/// What was said about one setting, most emphatically.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// Finds the value of every setting: flags before environment before file
/// before defaults.
pub fn resolve(inputs: &Inputs) -> Result<Resolved, ConfigError> {
    let mut said: Vec<Option<Said>> = vec![None; SETTINGS.len()];
    let mut of_projector = BTreeMap::new();
    hear_file(inputs, &mut said, &mut of_projector)?;
    hear_environment(inputs, &mut said, &mut of_projector)?;
    hear_flags(inputs, &mut said, &mut of_projector)?;

    let mut settings = Settings::in_dir("");
    let mut origins = Vec::new();
    for (setting, said) in SETTINGS.iter().zip(&said) {
        if let Some(said) = said {
            apply(&mut settings, setting, said)?;
        }
        if setting.key == "data_dir" {
            // The first in the table: the defaults within it follow it.
            settings = Settings::with_dirs(settings.data_dir, settings.projectors_dir);
        }
        origins.push(
            said.as_ref()
                .map_or(Origin::Default, |said| said.origin.clone()),
        );
    }
    let resolved = Resolved {
        of_projector: of_projector::apply(&mut settings, of_projector)?,
        settings,
        origins,
    };
    check_together(&resolved)?;
    Ok(resolved)
}

fn hear_file(
    inputs: &Inputs,
    said: &mut [Option<Said>],
    of_projector: &mut SaidOfProjectors,
) -> Result<(), ConfigError> {
    let Some(file) = &inputs.file else {
        return Ok(());
    };
    for written in file::parse(file)? {
        let said_here = Said {
            given: written.given,
            origin: Origin::File(file.path.clone(), written.line),
        };
        hear(&written.key, said_here, said, of_projector)?;
    }
    Ok(())
}

fn hear_environment(
    inputs: &Inputs,
    said: &mut [Option<Said>],
    of_projector: &mut SaidOfProjectors,
) -> Result<(), ConfigError> {
    // An empty variable is how many tools hand on one that is not set.
    let given = |variable: &str| {
        let value = inputs.environment.get(variable);
        value.filter(|value| !value.is_empty()).map(|value| Said {
            given: Given::Bare(value.clone()),
            origin: Origin::Variable(variable.to_owned()),
        })
    };
    for (setting, said) in SETTINGS.iter().zip(said) {
        if let Some(given) = given(&setting.variable()) {
            *said = Some(given);
        }
    }
    for variable in inputs.environment.keys() {
        if let Some(key) = of_projector::key_of_variable(variable)
            && let Some(given) = given(variable)
        {
            of_projector::hear(&key, given, of_projector)?;
        }
    }
    Ok(())
}

fn hear_flags(
    inputs: &Inputs,
    said: &mut [Option<Said>],
    of_projector: &mut SaidOfProjectors,
) -> Result<(), ConfigError> {
    for flag in &inputs.flags {
        let said_here = Said {
            given: Given::Bare(flag.value.clone()),
            origin: Origin::Flag(flag.name.clone()),
        };
        hear(&flag.key, said_here, said, of_projector)?;
    }
    Ok(())
}

fn hear(
    key: &str,
    said_here: Said,
    said: &mut [Option<Said>],
    of_projector: &mut SaidOfProjectors,
) -> Result<(), ConfigError> {
    if key.starts_with(of_projector::PREFIX) {
        return of_projector::hear(key, said_here, of_projector);
    }
    let i = known(key, &said_here.origin)?;
    said[i] = Some(said_here);
    Ok(())
}

fn known(key: &str, origin: &Origin) -> Result<usize, ConfigError> {
    setting(key)
        .map(|(i, _)| i)
        .ok_or_else(|| ConfigError::UnknownKey {
            key: key.to_owned(),
            origin: origin.clone(),
            nearest: nearest(key, SETTINGS.iter().map(|setting| setting.key)).map(str::to_owned),
        })
}

pub(super) fn apply(
    settings: &mut Settings,
    setting: &'static Setting,
    said: &Said,
) -> Result<(), ConfigError> {
    let base = match &said.origin {
        Origin::File(path, _) => path.parent().unwrap_or(Path::new("")),
        _ => Path::new(""),
    };
    setting
        .field
        .write(settings, &said.given, base)
        .map_err(|wrong| ConfigError::WrongValue {
            key: setting.key.to_owned(),
            given: said.given.to_string(),
            origin: said.origin.clone(),
            allowed: wrong.allowed,
        })
}

/// Checks what no setting can know alone.
fn check_together(resolved: &Resolved) -> Result<(), ConfigError> {
    let settings = &resolved.settings;
    let conflict = |key: &'static str, reason: String| {
        Err(ConfigError::Conflict {
            key: key.to_owned(),
            origin: resolved.origin(key).clone(),
            reason,
        })
    };
    if settings.projectors.pacing.retry_first > settings.projectors.pacing.retry_most {
        let most = settings.projectors.pacing.retry_most.as_millis();
        return conflict(
            "retry.first_ms",
            format!("is above `retry.most_ms`, which is {most}"),
        );
    }
    let of_events = &settings.event_store;
    if of_events.table.preset != Preset::Lantern && of_events.url.is_empty() {
        return conflict(
            "event_store.preset",
            format!(
                "is `{}`, whose events are in PostgreSQL, but `event_store.url` is not set",
                of_events.table.preset.as_str()
            ),
        );
    }
    super::update::check(resolved)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

//! What is said of a single projector: `[projectors.NAME]`.
//!
//! Under it stand the keys that can be set for all projectors, and count for
//! this one instead.

use std::collections::BTreeMap;

use super::defaults::{SETTINGS, Setting};
use super::error::ConfigError;
use super::nearest::nearest;
use super::resolve::{Origin, ResolvedSetting, Said, apply as apply_one};
use super::settings::Settings;
use crate::model::check_name;

/// What the keys of single projectors begin with.
pub(super) const PREFIX: &str = "projectors.";

/// What was said, by the projector's name and the setting's place in
/// [`SETTINGS`].
pub(super) type SaidOfProjectors = BTreeMap<(String, usize), Said>;

/// One setting of one projector.
#[derive(Debug, Clone)]
pub(super) struct OfProjector {
    name: String,
    setting: usize,
    origin: Origin,
}

/// Takes note of what was said under a key such as
/// `projectors.orders.batch.events`.
pub(super) fn hear(
    key: &str,
    said: Said,
    of_projectors: &mut SaidOfProjectors,
) -> Result<(), ConfigError> {
    let origin = said.origin.clone();
    let rest = key.strip_prefix(PREFIX).unwrap_or(key);
    let (name, of_all) = rest.split_once('.').unwrap_or((rest, ""));
    check_name("projector", name).map_err(|source| ConfigError::ProjectorName {
        origin: origin.clone(),
        source,
    })?;
    let Some(i) = SETTINGS.iter().position(|setting| setting.key == of_all) else {
        let keys = SETTINGS.iter().filter(|setting| setting.is_of_projectors());
        let near = nearest(of_all, keys.map(|setting| setting.key));
        return Err(ConfigError::UnknownKey {
            key: key.to_owned(),
            origin,
            nearest: near.map(|near| format!("{PREFIX}{name}.{near}")),
        });
    };
    if !SETTINGS[i].is_of_projectors() {
        let key = of_all.to_owned();
        return Err(ConfigError::NotOfProjectors { key, origin });
    }
    of_projectors.insert((name.to_owned(), i), said);
    Ok(())
}

/// The key that a variable such as `LANTERN_PROJECTORS_ORDERS_BATCH_EVENTS` sets.
/// `None` for all others: the prefix may be in use for other things.
pub(super) fn key_of_variable(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("LANTERN_PROJECTORS_")?;
    // The longest that fits, as a projector may be called `orders_batch`.
    let of_all = SETTINGS.iter().filter(|setting| setting.is_of_projectors());
    let fitting = of_all.filter_map(|setting| {
        let name = rest.strip_suffix(&setting.key.replace('.', "_").to_uppercase())?;
        let name = name.strip_suffix('_')?.to_lowercase();
        check_name("projector", &name).ok()?;
        Some((name, setting.key))
    });
    let (name, key) = fitting.max_by_key(|(_, key)| key.len())?;
    Some(format!("{PREFIX}{name}.{key}"))
}

/// Writes what was said into the settings, over what is said of all projectors.
pub(super) fn apply(
    settings: &mut Settings,
    said: SaidOfProjectors,
) -> Result<Vec<OfProjector>, ConfigError> {
    let mut done = Vec::new();
    for ((name, i), said) in said {
        let setting = &SETTINGS[i];
        let with_key = |error| match error {
            ConfigError::WrongValue {
                given,
                origin,
                allowed,
                ..
            } => ConfigError::WrongValue {
                key: full_key(&name, setting),
                given,
                origin,
                allowed,
            },
            other => other,
        };
        let mut of_it = as_if_of_all(settings, &name);
        apply_one(&mut of_it, setting, &said).map_err(with_key)?;
        settings.of_projector.insert(name.clone(), of_it.projectors);
        done.push(OfProjector {
            name,
            setting: i,
            origin: said.origin,
        });
    }
    Ok(done)
}

impl OfProjector {
    pub(super) fn entry(&self, settings: &Settings) -> ResolvedSetting {
        let setting = &SETTINGS[self.setting];
        ResolvedSetting {
            key: full_key(&self.name, setting),
            value: setting.field.read(&mut as_if_of_all(settings, &self.name)),
            setting,
            origin: self.origin.clone(),
        }
    }
}

/// The settings as they would be if what is said of one projector were said of
/// all: that is where a setting's field looks.
fn as_if_of_all(settings: &Settings, name: &str) -> Settings {
    Settings {
        projectors: settings.projector(name).clone(),
        ..settings.clone()
    }
}

fn full_key(name: &str, setting: &Setting) -> String {
    format!("{PREFIX}{name}.{}", setting.key)
}

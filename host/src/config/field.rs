//! The kinds of settings: where a value lies, how it is read, what is allowed.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::event_table::{Gaps, Preset};
use super::projector::OnFailure;
use super::settings::{Durability, LogFormat, Settings};
use super::update::{CronExpression, UpdateStrategy, Zone};

/// The value of a setting, in the unit of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// A whole number.
    Number(u64),
    /// A path, a word or a filter.
    Text(String),
}

/// What a user gave for a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// A number in `lantern.toml`.
    Number(u64),
    /// Text in quotes in `lantern.toml`.
    Quoted(String),
    /// A word from the environment or a flag, which may be a number too.
    Bare(String),
    /// Something in `lantern.toml` that is no setting's value: a float, a list.
    Other(String),
}

type Place<T> = fn(&mut Settings) -> &mut T;

/// Where a setting's value lies, and which values are allowed.
pub(super) enum Field {
    Path(Place<PathBuf>),
    Count(Place<usize>, RangeInclusive<u64>),
    Mebibytes(Place<usize>, RangeInclusive<u64>),
    Kibibytes(Place<usize>, RangeInclusive<u64>),
    Milliseconds(Place<Duration>, RangeInclusive<u64>),
    Durability(Place<Durability>),
    LogFormat(Place<LogFormat>),
    LogFilter(Place<String>),
    /// Any text; empty when nothing is said.
    Text(Place<String>),
    /// The name of a schema.
    Schema(Place<String>),
    /// The address of a PostgreSQL database; empty for SQLite. Shown without its
    /// password.
    Url(Place<String>),
    Preset(Place<Preset>),
    Gaps(Place<Gaps>),
    OnFailure(Place<OnFailure>),
    Strategy(Place<UpdateStrategy>),
    /// Times by cron; empty for none.
    Schedule(Place<Option<CronExpression>>),
    Zone(Place<Zone>),
    /// A number that the preset gives when nothing is said.
    OfPreset(Place<Option<u64>>, RangeInclusive<u64>),
}

impl Field {
    /// The value as it is now.
    pub(super) fn read(&self, settings: &mut Settings) -> SettingValue {
        match self {
            Field::Path(place) => SettingValue::Text(place(settings).display().to_string()),
            Field::Count(place, _) => SettingValue::Number(*place(settings) as u64),
            Field::Mebibytes(place, _) => SettingValue::Number((*place(settings) >> 20) as u64),
            Field::Kibibytes(place, _) => SettingValue::Number((*place(settings) >> 10) as u64),
            Field::Milliseconds(place, _) => {
                SettingValue::Number(u64::try_from(place(settings).as_millis()).unwrap_or(u64::MAX))
            }
            Field::Durability(place) => word(&DURABILITIES, *place(settings)),
            Field::LogFormat(place) => word(&LOG_FORMATS, *place(settings)),
            Field::LogFilter(place) | Field::Text(place) | Field::Schema(place) => {
                SettingValue::Text(place(settings).clone())
            }
            Field::Url(place) => SettingValue::Text(without_password(place(settings))),
            Field::Preset(place) => word(&PRESETS, *place(settings)),
            Field::Gaps(place) => word(&GAPS, *place(settings)),
            Field::OnFailure(place) => word(&ON_FAILURE, *place(settings)),
            Field::Strategy(place) => word(&STRATEGIES, *place(settings)),
            Field::Schedule(place) => {
                let text = place(settings).as_ref().map(CronExpression::text);
                SettingValue::Text(text.unwrap_or_default().to_owned())
            }
            Field::Zone(place) => SettingValue::Text(place(settings).name().to_owned()),
            Field::OfPreset(place, _) => place(settings)
                .map_or_else(|| SettingValue::Text(String::new()), SettingValue::Number),
        }
    }

    /// Writes what a user gave, if it is allowed. A relative path is taken from
    /// `base`.
    pub(super) fn write(
        &self,
        settings: &mut Settings,
        given: &Given,
        base: &Path,
    ) -> Result<(), NotAllowed> {
        match self {
            Field::Path(place) => *place(settings) = base.join(self.text(given)?),
            Field::Count(place, range) => *place(settings) = self.size(given, range, 0)?,
            Field::Mebibytes(place, range) => *place(settings) = self.size(given, range, 20)?,
            Field::Kibibytes(place, range) => *place(settings) = self.size(given, range, 10)?,
            Field::Milliseconds(place, range) => {
                *place(settings) = Duration::from_millis(self.number(given, range)?);
            }
            Field::Durability(place) => *place(settings) = self.choice(given, &DURABILITIES)?,
            Field::LogFormat(place) => *place(settings) = self.choice(given, &LOG_FORMATS)?,
            Field::LogFilter(place) => *place(settings) = self.filter(given)?,
            Field::Text(place) => *place(settings) = self.text_or_nothing(given)?.to_owned(),
            Field::Schema(place) => *place(settings) = self.schema(given)?,
            Field::Url(place) => *place(settings) = self.url(given)?,
            Field::Preset(place) => *place(settings) = self.choice(given, &PRESETS)?,
            Field::Gaps(place) => *place(settings) = self.choice(given, &GAPS)?,
            Field::OnFailure(place) => *place(settings) = self.choice(given, &ON_FAILURE)?,
            Field::Strategy(place) => *place(settings) = self.choice(given, &STRATEGIES)?,
            Field::Schedule(place) => *place(settings) = self.schedule(given)?,
            Field::Zone(place) => {
                let zone = Zone::parse(self.text(given)?);
                *place(settings) = zone.ok_or_else(|| self.refuse())?;
            }
            Field::OfPreset(place, range) => {
                *place(settings) = match self.text_or_nothing(given) {
                    Ok("") => None,
                    _ => Some(self.number(given, range)?),
                };
            }
        }
        Ok(())
    }

    /// What is allowed, for people.
    pub(super) fn allowed(&self) -> String {
        let number = |range: &RangeInclusive<u64>, unit: &str| {
            format!(
                "a whole number{unit} from {} to {}",
                range.start(),
                range.end()
            )
        };
        match self {
            Field::Path(_) => "a path".into(),
            Field::Count(_, range) => number(range, ""),
            Field::Mebibytes(_, range) => number(range, " of MiB"),
            Field::Kibibytes(_, range) => number(range, " of KiB"),
            Field::Milliseconds(_, range) => number(range, " of milliseconds"),
            Field::Durability(_) => words(&DURABILITIES),
            Field::LogFormat(_) => words(&LOG_FORMATS),
            Field::LogFilter(_) => {
                "a level (error, warn, info, debug, trace, off) or directives such as \
                 `info,lantern::worker=debug`"
                    .into()
            }
            Field::Text(_) => "text, or nothing".into(),
            Field::Schema(_) => "the name of a schema, of at most 63 bytes".into(),
            Field::Url(_) => "a URL such as postgres://user@host:5432/database, or nothing".into(),
            Field::Preset(_) => words(&PRESETS),
            Field::Gaps(_) => words(&GAPS),
            Field::OnFailure(_) => words(&ON_FAILURE),
            Field::Strategy(_) => words(&STRATEGIES),
            Field::Schedule(_) => "a cron expression such as `30 2 * * mon-fri`".into(),
            Field::Zone(_) => "the name of a time zone such as `Europe/Berlin`".into(),
            Field::OfPreset(_, range) => number(range, "") + ", or nothing",
        }
    }

    fn text<'g>(&self, given: &'g Given) -> Result<&'g str, NotAllowed> {
        match given {
            Given::Quoted(text) | Given::Bare(text) if !text.is_empty() => Ok(text),
            _ => Err(self.refuse()),
        }
    }

    fn number(&self, given: &Given, range: &RangeInclusive<u64>) -> Result<u64, NotAllowed> {
        let number = match given {
            Given::Number(number) => Some(*number),
            Given::Bare(text) => text.trim().parse().ok(),
            Given::Quoted(_) | Given::Other(_) => None,
        };
        number
            .filter(|n| range.contains(n))
            .ok_or_else(|| self.refuse())
    }

    /// A number of units of two to the power of `shift`.
    fn size(
        &self,
        given: &Given,
        range: &RangeInclusive<u64>,
        shift: u32,
    ) -> Result<usize, NotAllowed> {
        let bytes = self.number(given, range)? << shift;
        usize::try_from(bytes).map_err(|_| self.refuse())
    }

    fn choice<T: Copy>(&self, given: &Given, choices: &[(&str, T)]) -> Result<T, NotAllowed> {
        let text = self.text(given)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        found
            .map(|(_, choice)| *choice)
            .ok_or_else(|| self.refuse())
    }

    fn filter(&self, given: &Given) -> Result<String, NotAllowed> {
        let text = self.text(given)?;
        // A bare word is taken for the name of a module, so `warning` would be
        // accepted and then show nothing.
        let is_level = text
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .is_ok();
        let has_directive = text.contains('=') || text.contains(',');
        let is_sound = tracing_subscriber::EnvFilter::try_new(text).is_ok();
        if is_sound && (is_level || has_directive) {
            Ok(text.to_owned())
        } else {
            Err(self.refuse())
        }
    }

    fn schema(&self, given: &Given) -> Result<String, NotAllowed> {
        let text = self.text(given)?;
        if text.len() > 63 || text.contains('\0') {
            return Err(self.refuse());
        }
        Ok(text.to_owned())
    }

    fn schedule(&self, given: &Given) -> Result<Option<CronExpression>, NotAllowed> {
        let text = self.text_or_nothing(given)?;
        if text.is_empty() {
            return Ok(None);
        }
        let parsed = CronExpression::parse(text);
        parsed.map(Some).map_err(|reason| NotAllowed {
            allowed: format!("{} ({reason})", self.allowed()),
        })
    }

    fn text_or_nothing<'g>(&self, given: &'g Given) -> Result<&'g str, NotAllowed> {
        match given {
            Given::Quoted(text) | Given::Bare(text) if text.is_empty() => Ok(text),
            _ => self.text(given),
        }
    }

    fn url(&self, given: &Given) -> Result<String, NotAllowed> {
        let text = self.text_or_nothing(given)?;
        let schemes = ["postgres://", "postgresql://"];
        if text.is_empty() || schemes.iter().any(|scheme| text.starts_with(scheme)) {
            Ok(text.to_owned())
        } else {
            Err(self.refuse())
        }
    }

    fn refuse(&self) -> NotAllowed {
        NotAllowed {
            allowed: self.allowed(),
        }
    }
}

/// A value is not allowed; it says what is.
#[derive(Debug)]
pub(super) struct NotAllowed {
    pub(super) allowed: String,
}

const DURABILITIES: [(&str, Durability); 2] =
    [("full", Durability::Full), ("normal", Durability::Normal)];

const LOG_FORMATS: [(&str, LogFormat); 2] =
    [("human", LogFormat::Human), ("json", LogFormat::Json)];

const PRESETS: [(&str, Preset); 9] = [
    ("lantern", Preset::Lantern),
    ("marten", Preset::Marten),
    ("message-db", Preset::MessageDb),
    ("emmett", Preset::Emmett),
    ("eventsourcing", Preset::Eventsourcing),
    ("commanded", Preset::Commanded),
    ("axon", Preset::Axon),
    ("axon-jdbc", Preset::AxonJdbc),
    ("custom", Preset::Custom),
];

const GAPS: [(&str, Gaps); 2] = [("prove", Gaps::Prove), ("ignore", Gaps::Ignore)];

const ON_FAILURE: [(&str, OnFailure); 2] = [
    ("stop", OnFailure::Stop),
    ("quarantine", OnFailure::Quarantine),
];

const STRATEGIES: [(&str, UpdateStrategy); 4] = [
    ("immediate", UpdateStrategy::Immediate),
    ("batched", UpdateStrategy::Batched),
    ("scheduled", UpdateStrategy::Scheduled),
    ("inline", UpdateStrategy::Inline),
];

impl Preset {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        let found = PRESETS.iter().find(|(_, preset)| *preset == self);
        found.map_or("", |(word, _)| word)
    }
}

/// A URL as it may be shown: `postgres://user:***@host/db`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    let options: Vec<&str> = options
        .split('&')
        .filter(|option| !option.is_empty())
        .map(|option| {
            if option.starts_with("password=") {
                "password=***"
            } else {
                option
            }
        })
        .collect();
    if options.is_empty() {
        format!("{scheme}://{rest}")
    } else {
        format!("{scheme}://{rest}?{}", options.join("&"))
    }
}

fn word<T: PartialEq>(choices: &[(&str, T)], value: T) -> SettingValue {
    let name = choices
        .iter()
        .find(|(_, choice)| *choice == value)
        .map(|(word, _)| *word);
    // Every variant stands in its list, which the tests check by showing all
    // settings of `lantern config`.
    SettingValue::Text(name.unwrap_or_default().to_owned())
}

fn words<T>(choices: &[(&str, T)]) -> String {
    let quoted: Vec<String> = choices
        .iter()
        .map(|(word, _)| format!("`{word}`"))
        .collect();
    quoted.join(" or ")
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingValue::Number(number) => number.fmt(f),
            SettingValue::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Given::Number(number) => number.fmt(f),
            // It may be the address of a database, and go into a log.
            Given::Quoted(text) => write!(f, "{:?}", without_password(text)),
            Given::Bare(text) => f.write_str(&without_password(text)),
            Given::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            (
                "postgres://me:s3:cr@t@db:5432/x",
                "postgres://me:***@db:5432/x",
            ),
            (
                "postgres://me@db/x?sslmode=require",
                "postgres://me@db/x?sslmode=require",
            ),
            (
                "postgres://db/x?user=me&password=s3cret",
                "postgres://db/x?user=me&password=***",
            ),
            ("info,a=debug", "info,a=debug"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}

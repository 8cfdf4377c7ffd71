//! When a projector works: at once, now and then, or by the clock.

use std::path::absolute;
use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;

use super::error::ConfigError;
use super::event_table::Preset;
use super::projector::ProjectorSettings;
use super::resolve::{Origin, Resolved};
use super::settings::Settings;
use crate::model::Timestamp;

/// When a projector works, as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateSettings {
    /// The kind of it.
    pub strategy: UpdateStrategy,
    /// Batched: the longest time from one round to the next.
    pub interval: Duration,
    /// Batched: waiting positions that begin a round sooner.
    pub events: usize,
    /// Scheduled: when rounds begin.
    pub schedule: Option<CronExpression>,
    /// Scheduled: by which clock.
    pub time_zone: Zone,
}

/// The kinds of update strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStrategy {
    /// As soon as there are events.
    Immediate,
    /// When enough are waiting, or enough time has passed.
    Batched,
    /// At certain times.
    Scheduled,
    /// Within each append.
    Inline,
}

/// When a projector works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// As soon as there are events.
    Immediate,
    /// When so many positions are waiting or so much time has passed since the
    /// last round, whichever is first.
    Batched {
        /// The longest time from one round to the next.
        interval: Duration,
        /// Waiting positions that begin a round sooner.
        events: u64,
    },
    /// At certain times.
    Scheduled(Schedule),
    /// In the transaction of each append; as soon as there are events until it
    /// has caught up with the log.
    Inline,
}

/// Times of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    times: CronExpression,
    zone: Zone,
}

/// A cron expression that names times which come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpression {
    text: String,
    cron: Box<Cron>,
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl UpdateSettings {
    /// When the projector works. `resolve` has seen to it that a scheduled one
    /// has a schedule; without one it works at once.
    pub fn update(&self) -> Update {
        match (self.strategy, &self.schedule) {
            (UpdateStrategy::Batched, _) => Update::Batched {
                interval: self.interval,
                events: self.events as u64,
            },
            (UpdateStrategy::Scheduled, Some(times)) => Update::Scheduled(Schedule {
                times: times.clone(),
                zone: self.time_zone.clone(),
            }),
            (UpdateStrategy::Inline, _) => Update::Inline,
            (UpdateStrategy::Immediate | UpdateStrategy::Scheduled, _) => Update::Immediate,
        }
    }
}

impl Default for UpdateSettings {
    fn default() -> Self {
        Self {
            strategy: UpdateStrategy::Immediate,
            interval: Duration::from_secs(60),
            events: 1_000,
            schedule: None,
            time_zone: Zone {
                name: "UTC".into(),
                zone: TimeZone::UTC,
            },
        }
    }
}

impl Update {
    /// Its word, as in `update.strategy`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Batched { .. } => "batched",
            Self::Scheduled(_) => "scheduled",
            Self::Inline => "inline",
        }
    }
}

/// For people: `batched, every 60s or 1000 events`.
impl std::fmt::Display for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Immediate | Self::Inline => Ok(()),
            Self::Batched { interval, events } => {
                write!(f, ", every {interval:?} or {events} events")
            }
            Self::Scheduled(Schedule { times, zone }) => {
                write!(f, ", `{}` {}", times.text, zone.name)
            }
        }
    }
}

impl Schedule {
    /// The first time after another; `None` when none comes any more.
    ///
    /// An hour that is skipped when clocks go forward: a fixed time in it is
    /// moved to the end of the gap. One that is doubled: a fixed time comes once,
    /// the first time; `*` and steps go through both.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let time = jiff::Timestamp::from_microsecond(time.0).ok()?;
        let there = time.to_zoned(self.zone.zone.clone());
        let next = self.times.cron.find_next_occurrence(&there, false).ok()?;
        Some(Timestamp(next.timestamp().as_microsecond()))
    }

    #[cfg(test)]
    pub(crate) fn of(expression: &str, zone: &str) -> Self {
        Self {
            times: CronExpression::parse(expression).unwrap(),
            zone: Zone::parse(zone).unwrap(),
        }
    }
}

/// What the places of an expression of five are; one for seconds may come first.
const PLACES: [&str; 7] = [
    "second",
    "minute",
    "hour",
    "day of the month",
    "month",
    "day of the week",
    "year",
];

impl CronExpression {
    /// Reads an expression of five fields, or of six that begin with seconds.
    ///
    /// # Errors
    ///
    /// Says which field is wrong and why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let is_nickname = text.starts_with('@');
        if !is_nickname && !(5..=7).contains(&fields.len()) {
            let count = fields.len();
            return Err(format!("there are {count} fields, not 5 or 6"));
        }
        let cron: Cron = text
            .parse()
            .map_err(|error| wrong_field(&fields).unwrap_or_else(|| lower(&error)))?;
        // From a fixed time, so that no expression goes bad: one whose years are over
        // names times that came.
        let start = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        cron.find_next_occurrence(&start, false)
            .map_err(|_| "no such time ever comes".to_owned())?;
        Ok(Self {
            text: text.to_owned(),
            cron: Box::new(cron),
        })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The field that is wrong in itself, and why.
fn wrong_field(fields: &[&str]) -> Option<String> {
    let first = usize::from(fields.len() == 5);
    let wrong = fields.iter().enumerate().find_map(|(at, field)| {
        let alone: Vec<&str> = (0..fields.len())
            .map(|other| if other == at { field } else { "*" })
            .collect();
        let error = alone.join(" ").parse::<Cron>().err()?;
        let place = PLACES.get(at + first)?;
        Some(format!("the {place} `{field}`: {}", lower(&error)))
    })?;
    Some(wrong)
}

fn lower(error: &croner::errors::CronError) -> String {
    let text = error.to_string();
    let text = text.rsplit(": ").next().unwrap_or(&text);
    text.trim_end_matches('.').to_lowercase()
}

impl Zone {
    /// Finds a zone by its name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self {
            name: zone.iana_name().unwrap_or(name).to_owned(),
            zone,
        })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Checks that what was said of updates goes together, for all projectors and
/// for each.
pub(super) fn check(resolved: &Resolved) -> Result<(), ConfigError> {
    let said: Vec<(String, Origin)> = resolved
        .entries()
        .into_iter()
        .filter(|entry| entry.setting.key.starts_with("update."))
        // Who says what holds anyhow says nothing.
        .filter(|entry| entry.origin != Origin::Default && entry.value != entry.setting.default())
        .map(|entry| (entry.key, entry.origin))
        .collect();
    check_schedules(&resolved.settings, &said)?;
    check_inline(&resolved.settings, &said)?;
    check_effects(&resolved.settings, &said)
}

/// Who is scheduled has a schedule.
fn check_schedules(settings: &Settings, said: &[(String, Origin)]) -> Result<(), ConfigError> {
    let lacks = |of_it: &ProjectorSettings| {
        of_it.update.strategy == UpdateStrategy::Scheduled && of_it.update.schedule.is_none()
    };
    refuse_strategy(settings, said, lacks, || {
        "is `scheduled`, but `update.schedule` is not set".into()
    })
}

/// Who runs inline has events and rows in one database, which Lantern may write.
fn check_inline(settings: &Settings, said: &[(String, Origin)]) -> Result<(), ConfigError> {
    let (events, rows) = (&settings.event_store, &settings.read_store);
    if events.table.preset != Preset::Lantern {
        return refuse_strategy(settings, said, is_inline, || {
            "is `inline`, but Lantern does not append to this event store (`event_store.preset`)"
                .into()
        });
    }
    let is_one = match (events.url.is_empty(), rows.url.is_empty()) {
        // One may be said by the file, from its folder, and one by default.
        (true, true) => absolute(&events.path).ok() == absolute(&rows.path).ok(),
        _ => events.url == rows.url,
    };
    if is_one {
        return Ok(());
    }
    refuse_strategy(settings, said, is_inline, || {
        let what = match events.url.is_empty() && rows.url.is_empty() {
            true => "the same file as `event_store.path` and `read_store.path`",
            false => "the same `event_store.url` and `read_store.url`",
        };
        format!("is `inline`, which needs events and read models in one database: set {what}")
    })
}

fn is_inline(of_it: &ProjectorSettings) -> bool {
    of_it.update.strategy == UpdateStrategy::Inline
}

/// A conflict at the place where a strategy was set that cannot be, if there is
/// a projector that has it.
fn refuse_strategy(
    settings: &Settings,
    said: &[(String, Origin)],
    is_wrong: impl Fn(&ProjectorSettings) -> bool,
    reason: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    let mut each = settings.of_projector.iter();
    let of_all = "update.strategy".to_owned();
    let found = each.find(|(_, of_it)| is_wrong(of_it));
    let keys = match (is_wrong(&settings.projectors), found) {
        (true, _) => vec![of_all],
        // It was said of this one, or else of all.
        (false, Some((name, _))) => vec![format!("projectors.{name}.update.strategy"), of_all],
        (false, None) => return Ok(()),
    };
    let found = keys
        .iter()
        .find_map(|key| said.iter().find(|(said, _)| said == key));
    let (key, origin) = found
        .cloned()
        .unwrap_or_else(|| ("update.strategy".into(), Origin::Default));
    Err(ConfigError::Conflict {
        key,
        origin,
        reason: reason(),
    })
}

/// What has no effect is a mistake, as a rule a forgotten strategy. What is said
/// of all has one if a single projector makes use of it.
fn check_effects(settings: &Settings, said: &[(String, Origin)]) -> Result<(), ConfigError> {
    for (key, origin) in said {
        let Some((strategy, word)) = needed_by(key) else {
            continue;
        };
        let is_of_all = key.starts_with("update.");
        let each = settings.of_projector.iter();
        let mut users = each
            .filter(|(name, _)| is_of_all || key.starts_with(&format!("projectors.{name}.")))
            .map(|(_, of_it)| of_it)
            .chain(is_of_all.then_some(&settings.projectors));
        if !users.any(|of_it| of_it.update.strategy == strategy) {
            return Err(ConfigError::Conflict {
                key: key.clone(),
                origin: origin.clone(),
                reason: format!("has no effect without `update.strategy = \"{word}\"`"),
            });
        }
    }
    Ok(())
}

/// The strategy without which a setting has no effect.
fn needed_by(key: &str) -> Option<(UpdateStrategy, &'static str)> {
    let of_one = key.rsplit_once("update.")?.1;
    match of_one {
        "interval_ms" | "events" => Some((UpdateStrategy::Batched, "batched")),
        "schedule" | "time_zone" => Some((UpdateStrategy::Scheduled, "scheduled")),
        _ => None,
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;

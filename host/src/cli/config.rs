//! `lantern config`.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::output::{Column, print, print_json, table};
use crate::config::{ResolvedSetting, SettingValue};

/// Show every setting, its value, and where that came from
///
/// Strength, weakest first: default, lantern.toml in the current directory (or
/// the file named with --config), environment variable, flag.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern config
  lantern config --explain          what each does, its default and the reason
  lantern config --json --set batch.events=500")]
pub(super) struct ShowConfig {
    /// JSON instead of a table, with all that is known about each setting
    #[arg(long, conflicts_with = "explain")]
    json: bool,

    /// What each setting does, what is allowed, its default and the reason
    #[arg(long)]
    explain: bool,
}

impl ShowConfig {
    pub(super) fn execute(self, context: &Context) -> Result<(), CliError> {
        let entries = context.resolved.entries();
        if self.json {
            return print_json(&entries.iter().map(JsonSetting::of).collect::<Vec<_>>());
        }
        if self.explain {
            return print(&entries.iter().map(explained).collect::<Vec<_>>().join("\n"));
        }
        let rows = entries.iter().map(|entry| {
            vec![
                entry.key.clone(),
                entry.value.to_string(),
                entry.origin.to_string(),
            ]
        });
        print(&table(
            &[
                Column::Left("SETTING"),
                Column::Left("VALUE"),
                Column::Left("FROM"),
            ],
            rows.collect(),
        ))
    }
}

fn explained(entry: &ResolvedSetting) -> String {
    let setting = entry.setting;
    format!(
        "{key} = {value}  (from {origin})\n  {doc}\n  allowed   {allowed}\n  default   {default}: {reason}\n  \
         variable  {variable}\n",
        key = entry.key,
        value = entry.value,
        origin = entry.origin,
        doc = setting.doc,
        allowed = setting.allowed(),
        default = setting.default(),
        reason = setting.reason,
        variable = entry.variable(),
    )
}

#[derive(Serialize)]
struct JsonSetting<'a> {
    key: &'a str,
    value: &'a SettingValue,
    origin: String,
    default: SettingValue,
    variable: String,
    allowed: String,
    doc: &'a str,
    reason: &'a str,
}

impl<'a> JsonSetting<'a> {
    fn of(entry: &'a ResolvedSetting) -> Self {
        let setting = entry.setting;
        Self {
            key: &entry.key,
            value: &entry.value,
            origin: entry.origin.to_string(),
            default: setting.default(),
            variable: entry.variable(),
            allowed: setting.allowed(),
            doc: setting.doc,
            reason: setting.reason,
        }
    }
}

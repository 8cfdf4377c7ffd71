//! What people did to agents by hand. Each deed changes the table that it is
//! about, and none of its own.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::words::AuthStatus;
use crate::{alarms, approvals, integrations, levels, rules, watchers};

/// The payload of `audit.recorded`.
#[derive(Deserialize)]
pub struct Entry {
    actor: String,
    #[serde(flatten)]
    action: Action,
}

/// What was done.
#[derive(Deserialize)]
#[serde(tag = "action")]
pub enum Action {
    /// An agent may do more by itself, or less.
    #[serde(rename = "autonomy.override")]
    OverrideLevel(levels::Change),
    /// A watcher was switched on or off.
    #[serde(rename = "watcher.switch")]
    SwitchWatcher {
        /// The watcher.
        watcher_id: String,
        /// Whether it is on now.
        enabled: bool,
    },
    /// A rule was switched on or off.
    #[serde(rename = "rule.switch")]
    SwitchRule {
        /// The rule.
        rule_id: String,
        /// Whether it is on now.
        enabled: bool,
    },
    /// The credentials of an integration were renewed.
    #[serde(rename = "integration.reauthorize")]
    Reauthorize {
        /// The integration.
        integration_id: String,
    },
    /// A question was taken off the list without an answer.
    #[serde(rename = "approval.dismiss")]
    DismissApproval {
        /// The question.
        approval_id: String,
    },
    /// Somebody sees to an alarm.
    #[serde(rename = "alarm.ack")]
    AckAlarm {
        /// The alarm.
        alarm_id: String,
    },
    /// Something that no table here shows, such as a login.
    #[serde(other)]
    Other,
}

/// Somebody did something by hand.
///
/// # Errors
///
/// Fails as the table fails that it is about.
pub fn recorded(entry: Entry, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let by = Some(entry.actor.as_str());
    match entry.action {
        Action::OverrideLevel(change) => levels::changed(change, Some(entry.actor), at, rows),
        Action::SwitchWatcher {
            watcher_id,
            enabled,
        } => watchers::switched(&watcher_id, enabled, by, at, rows),
        Action::SwitchRule { rule_id, enabled } => rules::switched(&rule_id, enabled, by, at, rows),
        Action::Reauthorize { integration_id } => {
            integrations::authorised(&integration_id, AuthStatus::Valid, at, rows)
        }
        Action::DismissApproval { approval_id } => {
            approvals::forget(&approval_id, rows);
            Ok(())
        }
        Action::AckAlarm { alarm_id } => alarms::seen_to(&alarm_id, by, at, rows),
        Action::Other => Ok(()),
    }
}

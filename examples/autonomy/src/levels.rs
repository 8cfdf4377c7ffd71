//! How much each agent may do by itself, and since when: `autonomy_history`.

use std::num::NonZeroU32;

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::words::Level;

/// One change of an agent's level. The one without an end is what holds.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "autonomy_history",
    tenant_keyed,
    index(ended_at, level),
    index(changed_at desc),
)]
pub struct LevelChange {
    /// The agent.
    #[key]
    pub agent_id: String,
    /// Which of its changes it is, from 1.
    #[key]
    pub change_no: u32,
    /// What it may do from then on.
    pub level: Level,
    /// What it might do until then.
    pub previous_level: Option<Level>,
    /// Why.
    pub reason: Option<String>,
    /// Who said so, where that was a person.
    pub changed_by: Option<String>,
    /// When.
    pub changed_at: Timestamp,
    /// When the next change came.
    pub ended_at: Option<Timestamp>,
}

/// The payload of `autonomy.level_changed`, and what an audited override says.
#[derive(Deserialize)]
pub struct Change {
    agent_id: String,
    change_no: NonZeroU32,
    level: Level,
    reason: Option<String>,
}

/// An agent's level changed, perhaps by somebody's word.
///
/// Who changes it says which change it is. So of two who do that at once, the
/// second fails instead of undoing what the first did.
///
/// # Errors
///
/// Fails when there was another change of that number, or none before it.
pub fn changed(change: Change, by: Option<String>, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let (agent_id, change_no) = (&change.agent_id, change.change_no.get());
    if let Some(held) = rows.get(LevelChange::key(agent_id, change_no))? {
        // The same change, told again.
        if held.level == change.level && held.changed_at == at {
            return Ok(());
        }
        bail!(
            "change {change_no} of the level of agent `{agent_id}` was made at {} already, to `{}`",
            held.changed_at,
            held.level.as_str()
        );
    }
    let previous_level = end_previous(agent_id, change_no, at, rows)?;
    rows.upsert(&LevelChange {
        agent_id: change.agent_id,
        change_no,
        level: change.level,
        previous_level,
        reason: change.reason,
        changed_by: by,
        changed_at: at,
        ended_at: None,
    });
    Ok(())
}

/// Ends the change before this one, and returns its level; the first has none.
fn end_previous(
    agent_id: &str,
    change_no: u32,
    at: Timestamp,
    rows: &mut Rows,
) -> Result<Option<Level>> {
    if change_no == 1 {
        return Ok(None);
    }
    let previous = LevelChange::key(agent_id, change_no - 1);
    let Some(held) = rows.get(previous)? else {
        bail!(
            "change {change_no} of the level of agent `{agent_id}` comes without change {}",
            change_no - 1
        );
    };
    rows.patch(previous).set(LevelChange::ended_at, at);
    Ok(Some(held.level))
}

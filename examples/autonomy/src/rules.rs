//! What agents are to do when, and what they are not: `rules`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;

/// One rule.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "rules", tenant_keyed, index(enabled), index(hit_count desc))]
pub struct Rule {
    /// The rule.
    #[key]
    pub rule_id: String,
    /// What it says.
    pub name: String,
    /// Whether it holds.
    pub enabled: bool,
    /// Who last said whether it should, where that was a person.
    pub switched_by: Option<String>,
    /// How often it was tried.
    pub last_evaluation: u64,
    /// How often it applied.
    pub hit_count: i64,
    /// When it last did.
    pub last_hit_at: Option<Timestamp>,
    /// Why it last was kept from applying.
    pub last_suppression_reason: Option<String>,
    /// When that was.
    pub last_suppressed_at: Option<Timestamp>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `rule.created`.
#[derive(Deserialize)]
pub struct Created {
    rule_id: String,
    name: String,
    // A rule holds once somebody says that it does.
    #[serde(default)]
    enabled: bool,
}

/// The payload of `rule.enabled`, `rule.disabled` and `rule.deleted`.
#[derive(Deserialize)]
pub struct Named {
    rule_id: String,
}

/// The payload of `rule.hit`.
#[derive(Deserialize)]
pub struct Hit {
    rule_id: String,
    evaluation: u64,
}

/// The payload of `rule.suppressed`.
#[derive(Deserialize)]
pub struct Suppressed {
    rule_id: String,
    evaluation: u64,
    reason: String,
}

/// There is a rule. One that there was already stays as it is.
///
/// # Errors
///
/// Fails when the row cannot be read.
pub fn created(rule: Created, at: Timestamp, rows: &mut Rows) -> Result<()> {
    if rows.get(Rule::key(&rule.rule_id))?.is_some() {
        return Ok(());
    }
    rows.upsert(&Rule {
        rule_id: rule.rule_id,
        name: rule.name,
        enabled: rule.enabled,
        switched_by: None,
        last_evaluation: 0,
        hit_count: 0,
        last_hit_at: None,
        last_suppression_reason: None,
        last_suppressed_at: None,
        updated_at: at,
    });
    Ok(())
}

/// The runtime switched a rule on.
///
/// # Errors
///
/// Fails on a rule that is not known.
pub fn enabled(rule: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    switched(&rule.rule_id, true, None, at, rows)
}

/// The runtime switched a rule off.
///
/// # Errors
///
/// Fails on a rule that is not known.
pub fn disabled(rule: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    switched(&rule.rule_id, false, None, at, rows)
}

/// A rule is to be `enabled` from now on, perhaps by somebody's word.
pub(crate) fn switched(
    rule_id: &str,
    enabled: bool,
    by: Option<&str>,
    at: Timestamp,
    rows: &mut Rows,
) -> Result<()> {
    let held = find(rule_id, rows)?;
    rows.patch(Rule::key(&held.rule_id))
        .set(Rule::enabled, enabled)
        .set(Rule::switched_by, by.map(str::to_owned))
        .set(Rule::updated_at, at);
    Ok(())
}

/// A rule applied. Evaluations are numbered, so that one that is told of twice
/// counts once.
///
/// # Errors
///
/// Fails on a rule that is not known.
pub fn hit(hit: &Hit, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&hit.rule_id, rows)?;
    if hit.evaluation <= held.last_evaluation {
        return Ok(());
    }
    rows.upsert(&Rule {
        last_evaluation: hit.evaluation,
        hit_count: held.hit_count + 1,
        last_hit_at: Some(at),
        updated_at: at,
        ..held
    });
    Ok(())
}

/// A rule would have applied, and something kept it from that.
///
/// # Errors
///
/// Fails on a rule that is not known.
pub fn suppressed(suppressed: Suppressed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&suppressed.rule_id, rows)?;
    if suppressed.evaluation <= held.last_evaluation {
        return Ok(());
    }
    rows.upsert(&Rule {
        last_evaluation: suppressed.evaluation,
        last_suppression_reason: Some(suppressed.reason),
        last_suppressed_at: Some(at),
        updated_at: at,
        ..held
    });
    Ok(())
}

/// A rule is no more.
pub fn deleted(rule: &Named, rows: &mut Rows) {
    rows.delete(Rule::key(&rule.rule_id));
}

fn find(rule_id: &str, rows: &mut Rows) -> Result<Rule> {
    known(Rule::key(rule_id), "rule", rule_id, "rule.created", rows)
}

//! What looks at the world for agents, again and again: `watchers`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;

/// One watcher.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "watchers", tenant_keyed, index(enabled, last_tick_at))]
pub struct Watcher {
    /// The watcher.
    #[key]
    pub watcher_id: String,
    /// What it looks at.
    pub name: String,
    /// Whether it looks.
    pub enabled: bool,
    /// Who last said whether it should, where that was a person.
    pub switched_by: Option<String>,
    /// How often it has looked.
    pub last_tick: u64,
    /// When it last did.
    pub last_tick_at: Option<Timestamp>,
    /// What it found; `suppressed` when it was kept from telling.
    pub last_outcome: Option<String>,
    /// How often it was.
    pub suppression_count: i64,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `watcher.registered`.
#[derive(Deserialize)]
pub struct Registered {
    watcher_id: String,
    name: String,
    // A watcher looks unless it is told not to.
    #[serde(default = "yes")]
    enabled: bool,
}

/// The payload of `watcher.enabled`, `watcher.disabled` and `watcher.removed`.
#[derive(Deserialize)]
pub struct Named {
    watcher_id: String,
}

/// The payload of `watcher.ticked`.
#[derive(Deserialize)]
pub struct Ticked {
    watcher_id: String,
    tick: u64,
    outcome: String,
}

/// The payload of `watcher.suppressed`: a tick that came to nothing.
#[derive(Deserialize)]
pub struct Suppressed {
    watcher_id: String,
    tick: u64,
}

fn yes() -> bool {
    true
}

/// There is a watcher. One that there was already stays as it is.
///
/// # Errors
///
/// Fails when the row cannot be read.
pub fn registered(watcher: Registered, at: Timestamp, rows: &mut Rows) -> Result<()> {
    if rows.get(Watcher::key(&watcher.watcher_id))?.is_some() {
        return Ok(());
    }
    rows.upsert(&Watcher {
        watcher_id: watcher.watcher_id,
        name: watcher.name,
        enabled: watcher.enabled,
        switched_by: None,
        last_tick: 0,
        last_tick_at: None,
        last_outcome: None,
        suppression_count: 0,
        updated_at: at,
    });
    Ok(())
}

/// The runtime switched a watcher on.
///
/// # Errors
///
/// Fails on a watcher that is not known.
pub fn enabled(watcher: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    switched(&watcher.watcher_id, true, None, at, rows)
}

/// The runtime switched a watcher off.
///
/// # Errors
///
/// Fails on a watcher that is not known.
pub fn disabled(watcher: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    switched(&watcher.watcher_id, false, None, at, rows)
}

/// A watcher is to be `enabled` from now on, perhaps by somebody's word.
pub(crate) fn switched(
    watcher_id: &str,
    enabled: bool,
    by: Option<&str>,
    at: Timestamp,
    rows: &mut Rows,
) -> Result<()> {
    let held = find(watcher_id, rows)?;
    rows.patch(Watcher::key(&held.watcher_id))
        .set(Watcher::enabled, enabled)
        .set(Watcher::switched_by, by.map(str::to_owned))
        .set(Watcher::updated_at, at);
    Ok(())
}

/// A watcher looked.
///
/// # Errors
///
/// Fails on a watcher that is not known.
pub fn ticked(tick: &Ticked, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&tick.watcher_id, rows)?;
    looked(held, tick.tick, &tick.outcome, 0, at, rows);
    Ok(())
}

/// A watcher looked, and was kept from telling what it found.
///
/// # Errors
///
/// Fails on a watcher that is not known.
pub fn suppressed(tick: &Suppressed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&tick.watcher_id, rows)?;
    looked(held, tick.tick, "suppressed", 1, at, rows);
    Ok(())
}

/// Ticks are numbered, so that one that is told of twice counts once.
fn looked(
    held: Watcher,
    tick: u64,
    outcome: &str,
    suppressions: i64,
    at: Timestamp,
    rows: &mut Rows,
) {
    if tick <= held.last_tick {
        return;
    }
    rows.upsert(&Watcher {
        last_tick: tick,
        last_tick_at: Some(at),
        last_outcome: Some(outcome.to_owned()),
        suppression_count: held.suppression_count + suppressions,
        updated_at: at,
        ..held
    });
}

/// A watcher is no more.
pub fn removed(watcher: &Named, rows: &mut Rows) {
    rows.delete(Watcher::key(&watcher.watcher_id));
}

fn find(watcher_id: &str, rows: &mut Rows) -> Result<Watcher> {
    let key = Watcher::key(watcher_id);
    known(key, "watcher", watcher_id, "watcher.registered", rows)
}

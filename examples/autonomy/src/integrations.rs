//! The systems that agents work with: `integrations`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

use crate::known;
use crate::words::{AuthStatus, Health, RateLimitState};

/// One integration.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "integrations", tenant_keyed, index(health), index(auth_status))]
pub struct Integration {
    /// The integration.
    #[key]
    pub integration_id: String,
    /// The system it is with.
    pub name: String,
    /// How it works.
    pub health: Health,
    /// Whether it lets us in.
    pub auth_status: AuthStatus,
    /// When a call last went well.
    pub last_success_at: Option<Timestamp>,
    /// What the last call that did not was answered.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// Whether it takes more calls.
    pub rate_limit_state: RateLimitState,
    /// How many it still takes, if it tells.
    pub rate_limit_remaining: Option<u32>,
    /// When it takes them all again.
    pub rate_limit_resets_at: Option<Timestamp>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// The payload of `integration.connected`.
#[derive(Deserialize)]
pub struct Connected {
    integration_id: String,
    name: String,
    auth_status: AuthStatus,
}

/// The payload of `integration.health_changed`.
#[derive(Deserialize)]
pub struct HealthChanged {
    integration_id: String,
    health: Health,
}

/// The payload of `integration.auth_changed`.
#[derive(Deserialize)]
pub struct AuthChanged {
    integration_id: String,
    auth_status: AuthStatus,
}

/// The payload of `integration.call_failed`.
#[derive(Deserialize)]
pub struct CallFailed {
    integration_id: String,
    error: String,
}

/// The payload of `integration.rate_limit_changed`.
#[derive(Deserialize)]
pub struct RateLimitChanged {
    integration_id: String,
    remaining: u32,
    resets_at: Option<Timestamp>,
}

/// The payload of `integration.call_succeeded` and `integration.disconnected`.
#[derive(Deserialize)]
pub struct Named {
    integration_id: String,
}

/// An integration was set up, or anew: what was known of it is no longer true.
pub fn connected(integration: Connected, at: Timestamp, rows: &mut Rows) {
    rows.upsert(&Integration {
        integration_id: integration.integration_id,
        name: integration.name,
        health: Health::Healthy,
        auth_status: integration.auth_status,
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        rate_limit_state: RateLimitState::Open,
        rate_limit_remaining: None,
        rate_limit_resets_at: None,
        updated_at: at,
    });
}

/// Its monitor found it to work better, or worse.
///
/// # Errors
///
/// Fails on an integration that is not known.
pub fn health_changed(change: &HealthChanged, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&change.integration_id, rows)?;
    rows.patch(Integration::key(&held.integration_id))
        .set(Integration::health, change.health)
        .set(Integration::updated_at, at);
    Ok(())
}

/// It lets us in again, or no longer.
///
/// # Errors
///
/// Fails on an integration that is not known.
pub fn auth_changed(change: &AuthChanged, at: Timestamp, rows: &mut Rows) -> Result<()> {
    authorised(&change.integration_id, change.auth_status, at, rows)
}

/// What an integration thinks of our credentials is this from now on.
pub(crate) fn authorised(
    integration_id: &str,
    status: AuthStatus,
    at: Timestamp,
    rows: &mut Rows,
) -> Result<()> {
    let held = find(integration_id, rows)?;
    rows.patch(Integration::key(&held.integration_id))
        .set(Integration::auth_status, status)
        .set(Integration::updated_at, at);
    Ok(())
}

/// A call went well. The last error stays, with its time: who looks for why
/// something failed an hour ago wants to find it.
///
/// # Errors
///
/// Fails on an integration that is not known.
pub fn call_succeeded(call: &Named, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&call.integration_id, rows)?;
    rows.patch(Integration::key(&held.integration_id))
        .set(Integration::last_success_at, at)
        .set(Integration::updated_at, at);
    Ok(())
}

/// A call did not.
///
/// # Errors
///
/// Fails on an integration that is not known.
pub fn call_failed(call: CallFailed, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&call.integration_id, rows)?;
    rows.patch(Integration::key(&held.integration_id))
        .set(Integration::last_error, call.error)
        .set(Integration::last_error_at, at)
        .set(Integration::updated_at, at);
    Ok(())
}

/// It told how many calls more it takes. That a limit has been reset by the
/// clock alone is for readers to see: a projector has no clock.
///
/// # Errors
///
/// Fails on an integration that is not known.
pub fn rate_limit_changed(limit: &RateLimitChanged, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let held = find(&limit.integration_id, rows)?;
    let state = match limit.remaining {
        0 => RateLimitState::Limited,
        _ => RateLimitState::Open,
    };
    rows.patch(Integration::key(&held.integration_id))
        .set(Integration::rate_limit_state, state)
        .set(Integration::rate_limit_remaining, limit.remaining)
        .set(Integration::rate_limit_resets_at, limit.resets_at)
        .set(Integration::updated_at, at);
    Ok(())
}

/// It is no more.
pub fn disconnected(integration: &Named, rows: &mut Rows) {
    rows.delete(Integration::key(&integration.integration_id));
}

fn find(integration_id: &str, rows: &mut Rows) -> Result<Integration> {
    let key = Integration::key(integration_id);
    known(
        key,
        "integration",
        integration_id,
        "integration.connected",
        rows,
    )
}

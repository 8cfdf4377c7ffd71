//! What agents ask people for and have no answer to yet: `pending_approvals`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// A question that waits for a person.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "pending_approvals",
    tenant_keyed,
    index(expires_at),
    index(agent_id, requested_at)
)]
pub struct PendingApproval {
    /// The question.
    #[key]
    pub approval_id: String,
    /// The agent that asks.
    pub agent_id: String,
    /// The task for which it does.
    pub task_id: Option<String>,
    /// What it would do.
    pub action: String,
    /// What a person needs to know to decide, as the agent put it.
    pub context: Json<serde_json::Value>,
    /// When it asked.
    pub requested_at: Timestamp,
    /// When an answer comes too late; null is never.
    pub expires_at: Option<Timestamp>,
}

/// The payload of `approval.requested`.
#[derive(Deserialize)]
pub struct Requested {
    approval_id: String,
    agent_id: String,
    task_id: Option<String>,
    action: String,
    #[serde(default)]
    context: serde_json::Value,
    expires_at: Option<Timestamp>,
}

/// The payload of `approval.granted`, `.denied`, `.expired` and `.withdrawn`.
#[derive(Deserialize)]
pub struct Settled {
    approval_id: String,
}

/// An agent asks.
///
/// # Errors
///
/// Fails on a question that expires before it is asked: nobody could answer.
pub fn requested(approval: Requested, at: Timestamp, rows: &mut Rows) -> Result<()> {
    if let Some(expires_at) = approval.expires_at.filter(|expires_at| *expires_at <= at) {
        bail!(
            "approval `{}` is requested at {at} and expires at {expires_at}, before anybody can answer",
            approval.approval_id
        );
    }
    rows.upsert(&PendingApproval {
        approval_id: approval.approval_id,
        agent_id: approval.agent_id,
        task_id: approval.task_id,
        action: approval.action,
        context: Json(approval.context),
        requested_at: at,
        expires_at: approval.expires_at,
    });
    Ok(())
}

/// There is nothing left to decide. An answer to what is not pending is late,
/// which is no failure: two people may answer at once.
pub fn settled(approval: &Settled, rows: &mut Rows) {
    forget(&approval.approval_id, rows);
}

/// The question is no longer pending.
pub(crate) fn forget(approval_id: &str, rows: &mut Rows) {
    rows.delete(PendingApproval::key(approval_id));
}

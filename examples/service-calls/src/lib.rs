//! The service calls of each tenant: the list of executions, and one
//! execution's detail.
//!
//! Events are delivered at least once, and may be delivered late. So a row is
//! not what the last event said: it is what all events that have come so far
//! say together, each of them once, in whatever order they came. `merge.rs` has
//! the rules; the README says why a guard would not do.

use lantern_sdk::prelude::*;

mod events;
mod merge;

pub use events::{
    ErrorMeta, Failed, Request, ResponseMeta, Scheduled, ServiceCallEvent, Started, Submitted,
    Succeeded,
};

/// A line in the list of executions. There is one as soon as it is known what
/// was submitted.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "service_calls",
    tenant_keyed,
    index(status, due_at),
    index(submitted_at desc),
)]
pub struct ServiceCall {
    /// The call. Two tenants may have calls of the same id.
    #[key]
    pub service_call_id: String,
    /// What its owner calls it.
    pub name: String,
    /// `Scheduled`, `Running`, `Succeeded` or `Failed`.
    pub status: String,
    /// When it is to be made; null until it has been scheduled.
    pub due_at: Option<Timestamp>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its execution began.
    pub started_at: Option<Timestamp>,
    /// When its execution ended, well or not.
    pub finished_at: Option<Timestamp>,
    /// What its owner sorts it under.
    pub tags: Option<Json<Vec<String>>>,
}

/// All that is known of an execution. The list is made from it.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "service_call_details", tenant_keyed)]
pub struct ServiceCallDetail {
    /// The call.
    #[key]
    pub service_call_id: String,
    /// What its owner calls it; null until the submission has come.
    pub name: Option<String>,
    /// `Scheduled`, `Running`, `Succeeded` or `Failed`.
    pub status: String,
    /// When it was last put on the schedule. It tells an old date from a new one.
    pub scheduled_at: Option<Timestamp>,
    /// When it is to be made.
    pub due_at: Option<Timestamp>,
    /// When it was submitted; null until the submission has come.
    pub submitted_at: Option<Timestamp>,
    /// When its execution began.
    pub started_at: Option<Timestamp>,
    /// When its execution ended, well or not.
    pub finished_at: Option<Timestamp>,
    /// What its owner sorts it under.
    pub tags: Option<Json<Vec<String>>>,
    /// What was to be sent; null until the submission has come.
    pub request: Option<Json<Request>>,
    /// What was answered to a call that succeeded.
    pub response_meta: Option<Json<ResponseMeta>>,
    /// What went wrong with a call that failed.
    pub error_meta: Option<Json<ErrorMeta>>,
}

/// Keeps `service_calls` and `service_call_details`.
#[projector(
    name = "service_calls",
    version = "1.0.0",
    tables(ServiceCall, ServiceCallDetail)
)]
pub fn service_calls(event: Event<ServiceCallEvent>, rows: &mut Rows) -> Result<()> {
    let id = event.data.service_call_id();
    let known = rows.get(ServiceCallDetail::key(id))?;
    let mut detail = known
        .clone()
        .unwrap_or_else(|| ServiceCallDetail::unknown(id));
    detail.merge(event.data);
    // An event that says nothing new, as a repeated one, costs a read alone.
    if known.as_ref() == Some(&detail) {
        return Ok(());
    }
    rows.upsert(&detail);
    if let Some(call) = detail.in_list() {
        rows.upsert(&call);
    }
    Ok(())
}

impl ServiceCallDetail {
    /// The line in the list; none before the submission has come, since readers
    /// of the list may count on a name and a date.
    fn in_list(self) -> Option<ServiceCall> {
        Some(ServiceCall {
            name: self.name?,
            submitted_at: self.submitted_at?,
            service_call_id: self.service_call_id,
            status: self.status,
            due_at: self.due_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            tags: self.tags,
        })
    }
}

#[cfg(test)]
mod tests;

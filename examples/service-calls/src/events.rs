//! What happens to a service call.
//!
//! Each event carries the time of what it tells of. The CloudEvents `time` would
//! not do: who delivers an event again may stamp it again.

use std::collections::BTreeMap;

use lantern_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// What happens to a service call.
#[derive(Events)]
pub enum ServiceCallEvent {
    /// Somebody asked for it.
    #[event("ServiceCallSubmitted")]
    Submitted(Submitted),
    /// It was given a date, the first or another.
    #[event("ServiceCallScheduled")]
    Scheduled(Scheduled),
    /// A worker began with it.
    #[event("ExecutionStarted")]
    Started(Started),
    /// It was answered.
    #[event("ExecutionSucceeded")]
    Succeeded(Succeeded),
    /// It came to nothing.
    #[event("ExecutionFailed")]
    Failed(Failed),
}

/// The payload of `ServiceCallSubmitted`.
#[derive(Deserialize)]
pub struct Submitted {
    pub(crate) service_call_id: String,
    pub(crate) name: String,
    pub(crate) submitted_at: Timestamp,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) request: Request,
}

/// The payload of `ServiceCallScheduled`.
#[derive(Deserialize)]
pub struct Scheduled {
    pub(crate) service_call_id: String,
    pub(crate) scheduled_at: Timestamp,
    pub(crate) due_at: Timestamp,
}

/// The payload of `ExecutionStarted`.
#[derive(Deserialize)]
pub struct Started {
    pub(crate) service_call_id: String,
    pub(crate) started_at: Timestamp,
}

/// The payload of `ExecutionSucceeded`.
#[derive(Deserialize)]
pub struct Succeeded {
    pub(crate) service_call_id: String,
    pub(crate) finished_at: Timestamp,
    pub(crate) response_meta: ResponseMeta,
}

/// The payload of `ExecutionFailed`.
#[derive(Deserialize)]
pub struct Failed {
    pub(crate) service_call_id: String,
    pub(crate) finished_at: Timestamp,
    pub(crate) error_meta: ErrorMeta,
}

/// What is to be sent.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// The headers, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// How the body begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_snippet: Option<String>,
}

/// What was answered.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct ResponseMeta {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// How the body begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_snippet: Option<String>,
    /// From sending the request to the answer's last byte, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
}

/// What went wrong.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct ErrorMeta {
    /// What sort of failure it is, as in `timeout` or `http_status`.
    pub kind: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whatever else the worker knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
    /// From sending the request to giving up, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
}

impl ServiceCallEvent {
    /// The call it happened to.
    pub(crate) fn service_call_id(&self) -> &str {
        match self {
            Self::Submitted(data) => &data.service_call_id,
            Self::Scheduled(data) => &data.service_call_id,
            Self::Started(data) => &data.service_call_id,
            Self::Succeeded(data) => &data.service_call_id,
            Self::Failed(data) => &data.service_call_id,
        }
    }
}

//! What happens to a process.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// What happens to a process.
#[derive(Events)]
pub enum ProcessEvent {
    /// It began.
    #[event("process.started")]
    Started(Started),
    /// One of its steps is done.
    #[event("process.step_completed")]
    StepCompleted(StepCompleted),
    /// It is done.
    #[event("process.completed")]
    Completed,
    /// It was given up.
    #[event("process.failed")]
    Failed,
    /// The tenant gets money back.
    #[event("process.refunded")]
    Refunded(Refunded),
}

/// The payload of `process.started`.
#[derive(Deserialize)]
pub struct Started {
    /// What sort of process it is.
    #[serde(rename = "type")]
    pub(crate) process_type: String,
    /// The price that was agreed, in hundredths of the currency.
    pub(crate) rate_cents_per_hour: u32,
    /// The currency, as in ISO 4217.
    pub(crate) currency: String,
}

/// The payload of `process.step_completed`.
#[derive(Deserialize)]
pub struct StepCompleted {
    /// The step's number in its process, counted from 1. A step that was left
    /// out leaves its number out.
    pub(crate) step: u32,
    /// How long it was worked on.
    pub(crate) duration_ms: u32,
}

/// The payload of `process.refunded`.
#[derive(Deserialize)]
pub struct Refunded {
    /// The refund; a process may have several.
    pub(crate) refund_id: String,
    /// How much; all that is left when it does not say.
    pub(crate) amount_cents: Option<u32>,
}

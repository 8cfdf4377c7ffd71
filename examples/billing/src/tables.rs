//! The tables. All are tenant-keyed: the host puts the tenant first in the key.

use lantern_sdk::prelude::*;

/// What one type of process comes to in a period: a line of the bill.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "billing_lines", tenant_keyed)]
pub struct BillingLine {
    /// The month in UTC, as `2026-03`.
    #[key]
    pub period: String,
    /// The type of process.
    #[key]
    pub process_type: String,
    /// The currency, as in ISO 4217.
    #[key]
    pub currency: String,
    /// How many processes started in the period.
    pub started: i64,
    /// How many completed in it, whenever they had started.
    pub completed: i64,
    /// How many failed in it. They cost nothing.
    pub failed: i64,
    /// What was worked in the processes that completed, each rounded up to whole
    /// seconds.
    pub billable_seconds: i64,
    /// What these cost, in hundredths of the currency.
    pub amount_cents: i64,
    /// How many refunds were made in the period, for processes of any period.
    pub refunds: i64,
    /// What these come to.
    pub refunded_cents: i64,
}

/// What a period comes to: the sum of its lines.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "billing_totals", tenant_keyed)]
pub struct BillingTotal {
    /// The month in UTC, as `2026-03`.
    #[key]
    pub period: String,
    /// The currency, as in ISO 4217.
    #[key]
    pub currency: String,
    /// How many processes started in the period.
    pub started: i64,
    /// How many completed in it.
    pub completed: i64,
    /// How many failed in it.
    pub failed: i64,
    /// What was worked in the processes that completed.
    pub billable_seconds: i64,
    /// What these cost.
    pub amount_cents: i64,
    /// What was given back in the period.
    pub refunded_cents: i64,
    /// What is owed: the amount without the refunds. Below zero where more was
    /// given back than billed.
    pub due_cents: i64,
}

/// A process, and what was billed for it: what a tenant who doubts a line asks.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "billing_processes", tenant_keyed, index(period, process_type))]
pub struct BillingProcess {
    /// The process: the end of its stream's name.
    #[key]
    pub process_id: String,
    /// The type of process.
    pub process_type: String,
    /// The price that was agreed when it started.
    pub rate_cents_per_hour: u32,
    /// The currency, as in ISO 4217.
    pub currency: String,
    /// `running`, `completed` or `failed`.
    pub state: String,
    /// The number of the last step that is done; 0 before the first.
    pub last_step: u32,
    /// How long its steps took.
    pub worked_ms: i64,
    /// When it started.
    pub started_at: Timestamp,
    /// When it completed or failed.
    pub finished_at: Option<Timestamp>,
    /// The month in which it was billed; none for a process that is not.
    pub period: Option<String>,
    /// What was billed for it.
    pub amount_cents: i64,
    /// What of that was given back.
    pub refunded_cents: i64,
}

/// A refund.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "billing_refunds", tenant_keyed, index(period))]
pub struct BillingRefund {
    /// The process.
    #[key]
    pub process_id: String,
    /// The refund, among those of its process.
    #[key]
    pub refund_id: String,
    /// The month in which it was made.
    pub period: String,
    /// How much was given back.
    pub amount_cents: i64,
    /// When.
    pub refunded_at: Timestamp,
}

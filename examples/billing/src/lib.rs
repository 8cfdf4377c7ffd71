//! What each tenant owes for a month of processes, over thousands of streams
//! `process/{tenant}/{id}`.
//!
//! A process is billed as a whole in the period in which it completes. So it
//! has a row of its own while it runs ([`process`]), and what it comes to is
//! added to the period's rows, which are never read ([`bill`]). Each event
//! counts once, although it may come again: a process starts and ends once, and
//! its steps and refunds are numbered.

use lantern_sdk::prelude::*;

mod bill;
mod events;
mod process;
mod tables;

pub use events::{ProcessEvent, Refunded, Started, StepCompleted};
pub use tables::{BillingLine, BillingProcess, BillingRefund, BillingTotal};

/// Keeps `billing_lines`, `billing_totals`, `billing_processes` and
/// `billing_refunds`.
#[projector(
    name = "billing",
    version = "1.0.0",
    tables(BillingLine, BillingTotal, BillingProcess, BillingRefund),
    // Processes are also rehearsed, in other streams: nobody pays for those.
    streams("process/*"),
    needs(streams)
)]
pub fn billing(event: Event<ProcessEvent>, rows: &mut Rows) -> Result<()> {
    let id = process::id(event.stream.as_str(), event.tenant)?;
    match (rows.get(BillingProcess::key(id))?, event.data) {
        (None, ProcessEvent::Started(started)) => process::start(rows, id, started, event.time),
        (Some(_), ProcessEvent::Started(_)) => {}
        // Its type and its price are not known. Better no bill than a wrong one.
        (None, _) => bail!("process `{id}` was never started"),
        (Some(process), ProcessEvent::Refunded(refund)) => {
            process.refund(rows, refund, event.time)?;
        }
        // What a bill was made of does not change any more.
        (Some(process), _) if process.is_over() => {}
        (Some(process), ProcessEvent::StepCompleted(step)) => process.work(rows, &step),
        (Some(process), ProcessEvent::Completed) => process.complete(rows, event.time)?,
        (Some(process), ProcessEvent::Failed) => process.fail(rows, event.time),
    }
    Ok(())
}

#[cfg(test)]
mod tests;

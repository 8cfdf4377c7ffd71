//! A process on its way to its bill.

use lantern_sdk::prelude::*;

use crate::bill::{Amounts, add, billable_seconds, period, price_cents};
use crate::events::{Refunded, Started, StepCompleted};
use crate::tables::{BillingProcess, BillingRefund};

/// The process that a stream `process/{tenant}/{id}` is of.
///
/// # Errors
///
/// Fails when the stream has another form, or names another tenant than the
/// event: it would be unclear who is to pay.
pub(crate) fn id<'s>(stream: &'s str, tenant: Option<&str>) -> Result<&'s str> {
    let parts = stream
        .strip_prefix("process/")
        .and_then(|rest| rest.split_once('/'));
    match parts {
        Some((of, id)) if tenant == Some(of) && !id.is_empty() => Ok(id),
        Some((of, _)) if tenant != Some(of) => bail!(
            "stream `{stream}` is of tenant `{of}`, its event of `{}`",
            tenant.unwrap_or_default()
        ),
        _ => bail!("stream `{stream}` is not of the form process/TENANT/ID"),
    }
}

/// Begins a process.
pub(crate) fn start(rows: &mut Rows, id: &str, started: Started, at: Timestamp) {
    let process = BillingProcess {
        process_id: id.to_owned(),
        process_type: started.process_type,
        rate_cents_per_hour: started.rate_cents_per_hour,
        currency: started.currency,
        state: "running".into(),
        last_step: 0,
        worked_ms: 0,
        started_at: at,
        finished_at: None,
        period: None,
        amount_cents: 0,
        refunded_cents: 0,
    };
    rows.upsert(&process);
    let amounts = Amounts {
        started: 1,
        ..Amounts::default()
    };
    add(rows, &period(at), &process, &amounts);
}

impl BillingProcess {
    /// Whether it has completed or failed.
    pub(crate) fn is_over(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Takes a step in. A stream is in order, so that a number which is not
    /// above the last one is that of a step which comes again.
    pub(crate) fn work(self, rows: &mut Rows, step: &StepCompleted) {
        if step.step <= self.last_step {
            return;
        }
        let worked_ms = self.worked_ms + i64::from(step.duration_ms);
        rows.patch(Self::key(&self.process_id))
            .set(Self::last_step, step.step)
            .set(Self::worked_ms, worked_ms);
    }

    /// Bills it, in the period in which it completes.
    ///
    /// # Errors
    ///
    /// Fails when its price is more than a column holds.
    pub(crate) fn complete(self, rows: &mut Rows, at: Timestamp) -> Result<()> {
        let seconds = billable_seconds(self.worked_ms);
        let amounts = Amounts {
            completed: 1,
            billable_seconds: seconds,
            amount_cents: price_cents(seconds, self.rate_cents_per_hour)?,
            ..Amounts::default()
        };
        let period = period(at);
        add(rows, &period, &self, &amounts);
        rows.patch(Self::key(&self.process_id))
            .set(Self::state, "completed")
            .set(Self::finished_at, at)
            .set(Self::period, period)
            .set(Self::amount_cents, amounts.amount_cents);
        Ok(())
    }

    /// Counts it as failed. What was worked is not billed.
    pub(crate) fn fail(self, rows: &mut Rows, at: Timestamp) {
        let amounts = Amounts {
            failed: 1,
            ..Amounts::default()
        };
        add(rows, &period(at), &self, &amounts);
        rows.patch(Self::key(&self.process_id))
            .set(Self::state, "failed")
            .set(Self::finished_at, at);
    }

    /// Gives money back, in the period in which that happens: the bill of a
    /// period that is over has been sent, and does not change.
    ///
    /// # Errors
    ///
    /// Fails when the process is not over, as it is not known yet what it costs, and
    /// when more would be given back than was billed.
    pub(crate) fn refund(self, rows: &mut Rows, refund: Refunded, at: Timestamp) -> Result<()> {
        let key = BillingRefund::key(&self.process_id, &refund.refund_id);
        if rows.get(key)?.is_some() {
            return Ok(());
        }
        if !self.is_over() {
            bail!(
                "refund `{}` of process `{}` comes before its end",
                refund.refund_id,
                self.process_id,
            );
        }
        let left = self.amount_cents - self.refunded_cents;
        let amount_cents = refund.amount_cents.map_or(left, i64::from);
        if amount_cents > left {
            bail!(
                "refund `{}` of process `{}` gives back {amount_cents} cents; {left} are left of \
                 the {} that were billed",
                refund.refund_id,
                self.process_id,
                self.amount_cents,
            );
        }
        let amounts = Amounts {
            refunds: 1,
            refunded_cents: amount_cents,
            ..Amounts::default()
        };
        let period = period(at);
        add(rows, &period, &self, &amounts);
        rows.increment(Self::key(&self.process_id))
            .by(Self::refunded_cents, amount_cents);
        rows.upsert(&BillingRefund {
            process_id: self.process_id,
            refund_id: refund.refund_id,
            period,
            amount_cents,
            refunded_at: at,
        });
        Ok(())
    }
}

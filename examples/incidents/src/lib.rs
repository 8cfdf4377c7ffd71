//! What became of each incident at a service desk, and which product makes the
//! most of them.
//!
//! Two tables from one stream of events: the summary of an incident is read and
//! written back, since whether it was handed over depends on who had it before;
//! the count per product is only ever added to.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// One incident, as it stands.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(
    name = "incident_summaries",
    index(status, updated_at desc),
    index(tenant, opened_at),
    index(product),
)]
pub struct IncidentSummary {
    /// The incident: its stream.
    #[key]
    pub incident_id: String,
    /// The country of the organisation that opened it.
    pub tenant: Option<String>,
    /// Its last state, such as `Accepted`.
    pub status: String,
    /// The finer state within, such as `Wait - User`.
    pub substatus: String,
    /// How many events it has seen.
    pub event_count: i64,
    /// How often one group handed it to another.
    pub handoffs: i64,
    /// The group that has it now.
    pub org_group: String,
    /// The product it was opened for.
    pub product: String,
    /// How bad it is, by the latest word.
    pub impact: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// How many incidents were opened for a product.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "product_load", index(incidents desc))]
pub struct ProductLoad {
    /// The product.
    #[key]
    pub product: String,
    /// How many.
    pub incidents: i64,
}

/// What happens to an incident. Whatever it is, the payload is the same.
#[derive(Events)]
pub enum IncidentEvent<'a> {
    /// It took another step.
    #[event("incident.*")]
    Step(Step<'a>),
}

/// The payload of an incident's event.
#[derive(Deserialize)]
pub struct Step<'a> {
    #[serde(borrow)]
    org_group: Cow<'a, str>,
    #[serde(borrow)]
    concept_name: Cow<'a, str>,
    #[serde(borrow)]
    lifecycle_transition: Cow<'a, str>,
    #[serde(borrow)]
    product: Cow<'a, str>,
    #[serde(borrow)]
    impact: Cow<'a, str>,
}

/// Keeps `incident_summaries` and `product_load`.
#[projector(
    name = "incidents",
    version = "1.0.0",
    tables(IncidentSummary, ProductLoad),
    needs(streams)
)]
pub fn incidents(event: Event<IncidentEvent>, rows: &mut Rows) -> Result<()> {
    let IncidentEvent::Step(step) = event.data;
    let key = IncidentSummary::key(&event.stream);
    let Some(incident) = rows.get(key)? else {
        rows.upsert(&opened(&event.stream, &step, event.tenant, event.time));
        rows.increment(ProductLoad::key(&step.product))
            .by(ProductLoad::incidents, 1);
        return Ok(());
    };
    let handed_over = incident.org_group != step.org_group;
    rows.patch(key)
        .set(IncidentSummary::status, step.concept_name)
        .set(IncidentSummary::substatus, step.lifecycle_transition)
        .set(IncidentSummary::event_count, incident.event_count + 1)
        .set(
            IncidentSummary::handoffs,
            incident.handoffs + i64::from(handed_over),
        )
        .set(IncidentSummary::org_group, step.org_group)
        .set(IncidentSummary::impact, step.impact)
        .set(IncidentSummary::updated_at, event.time);
    Ok(())
}

fn opened(incident: &str, step: &Step<'_>, tenant: Option<&str>, at: Timestamp) -> IncidentSummary {
    IncidentSummary {
        incident_id: incident.to_owned(),
        tenant: tenant.map(str::to_owned),
        status: step.concept_name.to_string(),
        substatus: step.lifecycle_transition.to_string(),
        event_count: 1,
        handoffs: 0,
        org_group: step.org_group.to_string(),
        product: step.product.to_string(),
        impact: step.impact.to_string(),
        opened_at: at,
        updated_at: at,
    }
}

#[cfg(test)]
mod tests;

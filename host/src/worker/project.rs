//! One page through the sandbox and into the unit of work. Blocks.

use std::borrow::Cow;

use tokio::task::spawn_blocking;

use super::ahead;
use super::cycle::{Cycle, died};
use super::failure::{Trouble, of_ledger, of_projector};
use super::order::{Order, Turn};
use super::rows::Ledger;
use crate::model::{DeadLetter, Description, EventBatch};
use crate::sandbox::{LoadedProjector, ProjectError};

impl Cycle<'_> {
    /// Projects a page on a blocking thread, and gives it back with the events that
    /// were to be set aside meanwhile. `turn` matters where strict order is asked for.
    pub(super) async fn project(
        &mut self,
        events: EventBatch,
        turn: Turn,
    ) -> Result<(EventBatch, Result<Vec<DeadLetter>, Trouble>), Trouble> {
        let (projector, ledger) = (self.assignment.projector.clone(), self.ledger.clone());
        let mut order = self.order.take();
        let stage = spawn_blocking(move || {
            let projected = project(
                &projector,
                &events,
                &ledger,
                order.as_mut().map(|order| (order, &turn)),
            );
            (events, order, projected)
        });
        let (events, order, projected) = stage.await.map_err(died)?;
        self.order = order;
        Ok((events, projected))
    }
}

/// Projects a page where nothing waits for its turn and nothing is set aside.
pub(super) fn project_alone(
    projector: &LoadedProjector,
    events: &EventBatch,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    project(projector, events, ledger, None).map(drop)
}

/// Projects a page and folds its commands in: all of it, or, on trouble, none.
fn project(
    projector: &LoadedProjector,
    events: &EventBatch,
    ledger: &Ledger,
    order: Option<(&mut Order, &Turn)>,
) -> Result<Vec<DeadLetter>, Trouble> {
    ledger.with_unit(|unit| unit.begin_batch());
    let give = |events: &EventBatch| {
        ledger.look_ahead(&ahead::keys(projector.description(), events, ledger))?;
        let events = as_asked(projector.description(), events);
        project_parts(projector, &events, ledger)
    };
    let projected = match order {
        Some((order, turn)) => order.take(events, ledger, turn, give),
        None => give(events).map(|()| Vec::new()),
    };
    if projected.is_err() {
        ledger.with_unit(|unit| unit.undo_batch());
    }
    projected
}

/// The events as the projector asked for them: the worker may have read their
/// streams for itself.
fn as_asked<'a>(about: &Description, events: &'a EventBatch) -> Cow<'a, EventBatch> {
    if about.needs.streams || events.stream_ends.is_empty() {
        return Cow::Borrowed(events);
    }
    Cow::Owned(EventBatch {
        streams: String::new(),
        stream_ends: Vec::new(),
        ..events.clone()
    })
}

fn project_parts(
    projector: &LoadedProjector,
    events: &EventBatch,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    if events.is_empty() {
        return Ok(());
    }
    if !projector.description().is_tenant_keyed() {
        let all: Vec<usize> = (0..events.len()).collect();
        return project_part(projector, events, &all, "", ledger);
    }
    for part in by_tenant(projector.description(), events) {
        let tenant = events.tenant(part[0]).to_owned();
        project_part(projector, &events.pick(&part), &part, &tenant, ledger)?;
    }
    Ok(())
}

fn project_part(
    projector: &LoadedProjector,
    events: &EventBatch,
    part: &[usize],
    tenant: &str,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    ledger.serve_tenant(tenant);
    let commands = match projector.project(events, Box::new(ledger.clone())) {
        Ok(commands) => commands,
        Err(ProjectError::Refused) => {
            let refusal = ledger.take_refusal();
            return Err(refusal.map_or_else(
                || of_projector(&ProjectError::Refused, part),
                |refusal| of_ledger(refusal, part),
            ));
        }
        Err(error) => return Err(of_projector(&error, part)),
    };
    ledger
        .fold(&commands)
        .map_err(|error| of_ledger(error, part))
}

/// Cuts a page so that every part holds one tenant's events.
///
/// When all tables are keyed by tenant, no two tenants can touch the same row,
/// so each tenant's events may go together. Otherwise the order of events
/// matters across tenants, and only neighbours may.
fn by_tenant(description: &Description, events: &EventBatch) -> Vec<Vec<usize>> {
    let tenants_are_strangers = description.tables.iter().all(|table| table.tenant_keyed);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut part_of: Vec<Option<usize>> = vec![None; events.tenant_names.len()];
    for i in 0..events.len() {
        let tenant = events.tenants[i] as usize;
        let known = if tenants_are_strangers {
            part_of[tenant]
        } else {
            part_of[tenant].filter(|&part| part + 1 == parts.len())
        };
        match known {
            Some(part) => parts[part].push(i),
            None => {
                part_of[tenant] = Some(parts.len());
                parts.push(vec![i]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColumnType, RawDescription, RawTable};

    fn description(keyed: &[bool]) -> Description {
        let table = |(i, &tenant_keyed): (usize, &bool)| RawTable {
            name: format!("t{i}"),
            columns: vec![("id".into(), ColumnType::Integer, false)],
            key: vec!["id".into()],
            tenant_keyed,
            ..RawTable::default()
        };
        let raw = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            tables: keyed.iter().enumerate().map(table).collect(),
            ..RawDescription::default()
        };
        raw.check().unwrap()
    }

    #[test]
    fn tenants_share_a_part_only_where_order_cannot_matter() {
        let events = EventBatch {
            positions: vec![1, 2, 3, 4],
            tenants: vec![0, 1, 0, 0],
            tenant_names: vec!["a".into(), "b".into()],
            ..EventBatch::default()
        };
        assert_eq!(
            by_tenant(&description(&[true]), &events),
            [vec![0, 2, 3], vec![1]]
        );
        assert_eq!(
            by_tenant(&description(&[true, false]), &events),
            [vec![0], vec![1], vec![2, 3]]
        );
    }
}

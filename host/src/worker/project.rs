//! One page through the sandbox and into the unit of work. Blocks.

use std::borrow::Cow;

use hashbrown::HashMap;
use tokio::task::spawn_blocking;

use super::ahead;
use super::cycle::{Cycle, died};
use super::failure::{Trouble, of_ledger, of_projector};
use super::order::{Order, Turn};
use super::rows::Ledger;
use crate::model::{DeadLetter, Description, EventBatch};
use crate::sandbox::{LoadedProjector, ProjectError};
use crate::unit_of_work::Whose;

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
        project_parts(projector, events, ledger)
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
fn as_asked<'a>(about: &Description, events: Cow<'a, EventBatch>) -> Cow<'a, EventBatch> {
    if about.needs.streams || events.stream_ends.is_empty() {
        return events;
    }
    Cow::Owned(EventBatch {
        streams: String::new(),
        stream_ends: Vec::new(),
        ..events.into_owned()
    })
}

fn project_parts(
    projector: &LoadedProjector,
    events: &EventBatch,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    let about = projector.description();
    if events.is_empty() {
        return Ok(());
    }
    if !about.is_tenant_keyed() && !about.is_stream_keyed() {
        let all: Vec<usize> = (0..events.len()).collect();
        let events = as_asked(about, Cow::Borrowed(events));
        return project_part(projector, &events, &all, Whose::default(), ledger);
    }
    for part in cut(about, events) {
        let whose = whose(about, events, part[0]);
        let events = as_asked(about, Cow::Owned(events.pick(&part)));
        project_part(projector, &events, &part, whose, ledger)?;
    }
    Ok(())
}

fn project_part(
    projector: &LoadedProjector,
    events: &EventBatch,
    part: &[usize],
    whose: Whose<'_>,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    ledger.serve(whose);
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

/// Whose an event is, as far as tables are keyed by it.
fn whose<'a>(about: &Description, events: &'a EventBatch, i: usize) -> Whose<'a> {
    let name = |is_keyed, name: fn(&'a EventBatch, usize) -> &'a str| match is_keyed {
        true => name(events, i),
        false => "",
    };
    Whose {
        tenant: name(about.is_tenant_keyed(), EventBatch::tenant),
        stream: name(about.is_stream_keyed(), EventBatch::stream),
    }
}

/// Cuts a page so that every part holds one tenant's events, or one stream's, or
/// those of one tenant's stream: whatever tables are keyed by.
///
/// When all tables are keyed by the same, no two parts can touch the same row, so
/// the events of each may go together. Otherwise the order of events matters
/// across parts, and only neighbours may.
fn cut(about: &Description, events: &EventBatch) -> Vec<Vec<usize>> {
    let keyed = (about.is_tenant_keyed(), about.is_stream_keyed());
    let tables = &mut about.tables.iter();
    let are_strangers = tables.all(|table| (table.tenant_keyed, table.stream_keyed) == keyed);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut part_of: HashMap<Whose<'_>, usize> = HashMap::new();
    for i in 0..events.len() {
        let whose = whose(about, events, i);
        let known = part_of.get(&whose).copied();
        match known.filter(|&part| are_strangers || part + 1 == parts.len()) {
            Some(part) => parts[part].push(i),
            None => {
                part_of.insert(whose, parts.len());
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

    /// A table for each entry, keyed by tenant and by stream as it says.
    fn description(keyed: &[(bool, bool)]) -> Description {
        let table = |(i, &(tenant_keyed, stream_keyed)): (usize, &(bool, bool))| RawTable {
            name: format!("t{i}"),
            columns: vec![("id".into(), ColumnType::Integer, false)],
            key: vec!["id".into()],
            tenant_keyed,
            stream_keyed,
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

    fn parts(keyed: &[(bool, bool)]) -> Vec<Vec<usize>> {
        let events = EventBatch {
            positions: vec![1, 2, 3, 4],
            tenants: vec![0, 1, 0, 0],
            tenant_names: vec!["a".into(), "b".into()],
            streams: "sstu".into(),
            stream_ends: vec![1, 2, 3, 4],
            ..EventBatch::default()
        };
        cut(&description(keyed), &events)
    }

    #[test]
    fn tenants_share_a_part_only_where_order_cannot_matter() {
        let (yes, no) = ((true, false), (false, false));
        assert_eq!(parts(&[yes]), [vec![0, 2, 3], vec![1]]);
        assert_eq!(parts(&[yes, no]), [vec![0], vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_stream_has_a_part_of_its_own_and_so_has_each_tenants() {
        let (stream, both) = ((false, true), (true, true));
        assert_eq!(parts(&[stream]), [vec![0, 1], vec![2], vec![3]]);
        assert_eq!(parts(&[both]), [vec![0], vec![1], vec![2], vec![3]]);
        assert_eq!(
            parts(&[stream, (true, false)]),
            [vec![0], vec![1], vec![2], vec![3]],
            "by both, as one table is keyed by each"
        );
    }
}

//! Strict order: which events of a page the projector gets, in which order, and
//! which wait.
//!
//! A page is planned before it is projected (`plan`, pure): the next version of an
//! entity is fed, and with it whatever waited for it; a version that leaves a hole
//! waits; one that was there before is left out. What waits beyond its page is kept
//! as a position and read again from the log when its turn comes. The version of
//! each entity is a row like any other, in a table of the host's, so that rows,
//! versions, waiting events and checkpoint change in one transaction.

#[cfg(test)]
mod bench;
mod plan;
#[cfg(test)]
mod properties;
mod stamp;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Fed, Plan, What};
use stamp::Stamps;
use waiting::Waiting;

use super::Assignment;
use super::failure::{Blame, Trouble, without_event};
use super::quarantine::{Held, Room};
use super::rows::Ledger;
use crate::model::{
    DeadLetter, Digest, Envelope, EventBatch, FailureClass, Position, StrictOrder, WaitingChanges,
    WaitingEvent,
};
use crate::source::{EventReader, PageLimit, event_at};

/// The order of one generation's events.
pub(super) struct Order {
    stamps: Stamps,
    /// The table that holds the versions of entities.
    table: usize,
    /// The most events that may wait.
    most: usize,
    waiting: Waiting,
    /// What the next commit does: an event waits from now on, or no longer.
    changes: BTreeMap<Position, Option<WaitingEvent>>,
    repeated: u64,
    reader: Box<dyn EventReader>,
    digest: Digest,
}

/// How a page is to be taken.
pub(super) struct Turn {
    /// What is held back for another reason.
    pub(super) held: Arc<Held>,
    /// How many events may be set aside.
    pub(super) room: Room,
    /// How much the projector is given at a time.
    pub(super) lot: PageLimit,
    /// What is done.
    pub(super) task: Task,
}

/// What is done with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// It is projected, together with what has waited for it.
    Project,
    /// It is projected, and what has waited for it is released.
    ProjectAlone,
    /// It is given up: its events only count as having been there. What has waited
    /// for them is released.
    GiveUp,
    /// There is none: the first event that is released is projected.
    Step,
}

impl Order {
    /// The order of an assignment's events, if its projector asks for one.
    pub(super) async fn of(
        assignment: &Assignment,
        needs: Envelope,
    ) -> Result<Option<Self>, Trouble> {
        let about = assignment.projector.description();
        let Some(order) = &about.order else {
            return Ok(None);
        };
        let waiting = assignment.store.waiting(assignment.generation).await?;
        let reader = assignment.source.reader(&about.wants, needs)?;
        Ok(Some(Self::new(
            order,
            // The first of the host's.
            about.tables.len(),
            assignment.most_waiting,
            waiting,
            reader,
            assignment.projector.digest(),
        )))
    }

    /// Begins with what the store has. `reader` reads single events again.
    pub(super) fn new(
        order: &StrictOrder,
        table: usize,
        most: usize,
        waiting: Vec<WaitingEvent>,
        reader: Box<dyn EventReader>,
        digest: &Digest,
    ) -> Self {
        Self {
            stamps: Stamps::new(order),
            table,
            most,
            waiting: Waiting::of(waiting),
            changes: BTreeMap::new(),
            repeated: 0,
            reader,
            digest: digest.clone(),
        }
    }

    /// Takes a page: hands the events whose turn it is to `give`, in as few batches
    /// as may be, and takes note of the others. Returns those to be set aside.
    ///
    /// On trouble nothing is noted, but for versions in the ledger, which the caller
    /// undoes together with the rows.
    pub(super) fn take(
        &mut self,
        page: &EventBatch,
        ledger: &Ledger,
        turn: &Turn,
        give: impl FnMut(&EventBatch) -> Result<(), Trouble>,
    ) -> Result<Vec<DeadLetter>, Trouble> {
        let plan = self.plan(page, ledger, turn)?;
        if matches!(turn.task, Task::Project | Task::ProjectAlone) {
            self.check_room(&plan, ledger)?;
        }
        turn.room.less(plan.set_aside.len(), &self.digest)?;
        self.feed(page, &plan, turn.lot, give)?;
        let mut letters = Vec::new();
        for &position in &plan.set_aside {
            letters.push(turn.held.letter_of(&self.read(position)?));
        }
        ledger.put(self.table, plan.versions);
        self.repeated += plan.repeated;
        for event in plan.removes {
            self.changes.insert(event.position, None);
            self.waiting.remove(&event);
        }
        for event in plan.waits.into_iter().chain(plan.marks) {
            self.changes.insert(event.position, Some(event.clone()));
            self.waiting.insert(event);
        }
        Ok(letters)
    }

    fn plan(&self, page: &EventBatch, ledger: &Ledger, turn: &Turn) -> Result<Plan, Trouble> {
        let is_held = |event: &WaitingEvent| turn.held.holds(event);
        if turn.task == Task::Step {
            let Some((tenant, entity)) = self.waiting.first_released() else {
                return Ok(Plan::default());
            };
            let Some(kept) = self.waiting.of_entity(tenant, entity) else {
                return Ok(Plan::default());
            };
            let versions = ledger.versions(self.table, &[plan::key(tenant, entity)])?;
            return Ok(plan::step(kept, versions[0], &is_held));
        }
        let entities = plan::entities(&self.stamps, page).map_err(|(event, cause)| {
            Trouble::Batch(Blame {
                class: FailureClass::Event,
                cause,
                event: Some(event),
                is_dear: false,
            })
        })?;
        let versions = ledger.versions(self.table, &entities.keys())?;
        Ok(entities.plan(&versions, &self.waiting, &is_held, turn.task))
    }

    fn feed(
        &mut self,
        page: &EventBatch,
        plan: &Plan,
        lot: PageLimit,
        mut give: impl FnMut(&EventBatch) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if plan.is_whole(page.len()) && page.len() <= lot.events {
            return give(page).map_err(|trouble| of_page(trouble, &plan.fed));
        }
        let mut batch = page.emptied();
        let mut first = 0;
        for (at, fed) in plan.fed.iter().enumerate() {
            match fed.what {
                What::OfPage(i) => batch.push(page, i),
                What::Kept(position) => batch.push_other(&self.read(position)?, 0),
            }
            let is_full = batch.len() >= lot.events || batch.weight() >= lot.bytes;
            if is_full || at + 1 == plan.fed.len() {
                give(&batch).map_err(|trouble| of_page(trouble, &plan.fed[first..=at]))?;
                batch = page.emptied();
                first = at + 1;
            }
        }
        Ok(())
    }

    /// Stops the projector when too many would wait.
    fn check_room(&self, plan: &Plan, ledger: &Ledger) -> Result<(), Trouble> {
        let follow = plan.removes.iter().filter(|it| !it.given_up).count();
        let events = (self.waiting.len() + plan.waits.len()).saturating_sub(follow);
        if plan.waits.is_empty() || events <= self.most {
            return Ok(());
        }
        let new = plan.waits.iter();
        let kept = self.waiting.iter();
        let kept = kept.filter(|it| !it.given_up && !plan.removes.contains(it));
        let Some(oldest) = new.chain(kept).min_by_key(|event| event.position) else {
            return Ok(());
        };
        let key = plan::key(&oldest.tenant, &oldest.entity);
        let known = plan.version_of(oldest);
        let known = match known {
            Some(known) => known,
            None => ledger.versions(self.table, &[key])?[0],
        };
        let tenant = match oldest.tenant.as_str() {
            "" => String::new(),
            tenant => format!(" of tenant `{tenant}`"),
        };
        let cause = format!(
            "{events} events would wait for earlier versions of their entities, more than \
             order.most_waiting allows ({}); the one that waits longest is version {} of entity \
             `{}`{tenant}, at position {}: version {} has not come",
            self.most,
            oldest.version,
            oldest.entity,
            oldest.position,
            known + 1,
        );
        let mut failure = without_event(FailureClass::Event, cause, &self.digest);
        failure.next_step = "if the missing events are still to come in the log, raise \
             `order.most_waiting` for this projector; if they were lost, append them, or have the \
             others follow without them (`lantern order release`); if the projector does not want them, let it want all events that count \
             the entity's version; then `lantern resume`"
            .into();
        failure.position = Some(oldest.position);
        failure.stream = Some(oldest.stream.clone());
        Err(Trouble::Stuck(failure.into()))
    }

    /// Reads an event again.
    fn read(&mut self, position: Position) -> Result<EventBatch, Trouble> {
        event_at(&mut *self.reader, position)?.ok_or_else(|| {
            Trouble::Source(format!(
                "event {position}, which has waited for an earlier version of its entity, is no \
                 longer in the log"
            ))
        })
    }

    /// The event that is to follow next, by itself: what comes first of the entity
    /// that an operator, or an event that came by itself, has released.
    pub(super) fn next_released(&self) -> Option<Position> {
        let (tenant, entity) = self.waiting.first_released()?;
        let (_, event) = self.waiting.of_entity(tenant, entity)?.first_key_value()?;
        Some(event.position)
    }

    /// Whether there is something for the next commit.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Hands out what the next commit does.
    pub(super) fn take_changes(&mut self) -> WaitingChanges {
        let mut changes = WaitingChanges::default();
        for (position, event) in std::mem::take(&mut self.changes) {
            match event {
                Some(event) => changes.puts.push(event),
                None => changes.removes.push(position),
            }
        }
        changes
    }

    /// How many events were left out since the last call.
    pub(super) fn take_repeated(&mut self) -> u64 {
        std::mem::take(&mut self.repeated)
    }
}

/// Says of a failure which event of the page led to it.
fn of_page(trouble: Trouble, fed: &[Fed]) -> Trouble {
    let Trouble::Batch(blame) = trouble else {
        return trouble;
    };
    let alone = (fed.len() == 1).then_some(0);
    let culprit = blame.event.or(alone).and_then(|event| fed.get(event));
    Trouble::Batch(Blame {
        event: culprit.map(|fed| fed.because_of),
        ..blame
    })
}

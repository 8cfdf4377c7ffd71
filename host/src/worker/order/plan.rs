//! What becomes of each event of a page. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::Task;
use super::stamp::Stamps;
use super::waiting::{OfEntity, Waiting};
use crate::model::{EventBatch, Position, Row, Value, WaitingEvent};

/// What becomes of a page.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// What the projector gets, in this order.
    pub(super) fed: Vec<Fed>,
    /// What waits from now on.
    pub(super) waits: Vec<WaitingEvent>,
    /// What waits on, but is released by now, or no longer.
    pub(super) marks: Vec<WaitingEvent>,
    /// What no longer does.
    pub(super) removes: Vec<WaitingEvent>,
    /// What has waited and is set aside, as its turn has come but it may not be
    /// projected. It is among `removes`.
    pub(super) set_aside: Vec<Position>,
    /// How many events were left out, as their version was there before.
    pub(super) repeated: u64,
    /// The versions that entities have come to.
    pub(super) versions: Vec<Row>,
}

/// An event that the projector gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fed {
    pub(super) what: What,
    /// The event of the page that made it due, as an index. All that comes before it
    /// in the page is fed before: a page that is cut in front of it leads to the
    /// same events up to there.
    pub(super) because_of: usize,
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The page, by index.
    OfPage(usize),
    /// The log, by position: it has waited since an earlier page.
    Kept(Position),
}

/// The key of an entity's version.
pub(super) fn key(tenant: &str, entity: &str) -> Vec<Value> {
    vec![Value::Text(tenant.into()), Value::Text(entity.into())]
}

/// The entities that a page is about.
pub(super) struct Entities<'a> {
    page: &'a EventBatch,
    names: Vec<(&'a str, Cow<'a, str>)>,
    /// For each event its entity, as an index, and the version it brings.
    stamps: Vec<Option<(usize, u64)>>,
}

/// Reads what a page is about.
///
/// # Errors
///
/// The index of an event whose entity or version cannot be, and what is wrong.
pub(super) fn entities<'a>(
    stamps: &Stamps,
    page: &'a EventBatch,
) -> Result<Entities<'a>, (usize, String)> {
    let mut known: HashMap<(u32, Cow<'a, str>), usize> = HashMap::new();
    let mut entities = Entities {
        page,
        names: Vec::new(),
        stamps: Vec::with_capacity(page.len()),
    };
    for i in 0..page.len() {
        let stamp = stamps.of(page, i).map_err(|cause| (i, cause))?;
        entities.stamps.push(stamp.map(|stamp| {
            let name = (page.tenants[i], stamp.entity);
            let at = match known.get(&name) {
                Some(&at) => at,
                None => {
                    entities.names.push((page.tenant(i), name.1.clone()));
                    known.insert(name, entities.names.len() - 1);
                    entities.names.len() - 1
                }
            };
            (at, stamp.version)
        }));
    }
    Ok(entities)
}

impl Entities<'_> {
    /// The keys of all entities' versions.
    pub(super) fn keys(&self) -> Vec<Vec<Value>> {
        let names = self.names.iter();
        names.map(|(tenant, entity)| key(tenant, entity)).collect()
    }

    /// Decides, given the version that each entity has come to. `is_held` tells of
    /// events that have waited whether they must not be projected.
    pub(super) fn plan(
        &self,
        versions: &[u64],
        waiting: &Waiting,
        is_held: &dyn Fn(&WaitingEvent) -> bool,
        task: Task,
    ) -> Plan {
        let entity = |((tenant, name), version): (&(&str, Cow<'_, str>), &u64)| Entity {
            version: *version,
            kept: waiting.of_entity(tenant, name),
            new: BTreeMap::new(),
        };
        let mut planner = Planner {
            entities: self.names.iter().zip(versions).map(entity).collect(),
            is_held,
            gives_up: task == Task::GiveUp,
            goes_on: task == Task::Project,
            plan: Plan::default(),
        };
        for (i, stamp) in self.stamps.iter().enumerate() {
            match *stamp {
                Some((entity, version)) => planner.take(i, entity, version),
                None if planner.gives_up => {}
                None => planner.feed(What::OfPage(i), i),
            }
        }
        self.conclude(planner, versions)
    }

    fn conclude(&self, planner: Planner<'_>, versions: &[u64]) -> Plan {
        let mut plan = planner.plan;
        let entities = planner.entities.into_iter().zip(&self.names);
        for ((entity, (tenant, name)), before) in entities.zip(versions) {
            plan.comes_to(tenant, name, *before, entity.version);
            plan.waits
                .extend(entity.new.into_iter().map(|(version, i)| WaitingEvent {
                    position: self.page.position(i),
                    tenant: (*tenant).to_owned(),
                    entity: name.clone().into_owned(),
                    version,
                    stream: self.page.stream(i).to_owned(),
                    given_up: planner.gives_up,
                    released: false,
                }));
        }
        plan
    }
}

impl Plan {
    fn comes_to(&mut self, tenant: &str, entity: &str, before: u64, version: u64) {
        if version > before {
            let mut values = key(tenant, entity);
            values.push(Value::Integer(version as i64));
            self.versions.push(Row {
                values,
                ..Row::default()
            });
        }
    }

    fn mark(&mut self, event: &WaitingEvent, released: bool) {
        if event.released != released {
            self.marks.push(WaitingEvent {
                released,
                ..event.clone()
            });
        }
    }

    /// Whether the page, of so many events, is fed just as it is.
    pub(super) fn is_whole(&self, events: usize) -> bool {
        let fed = self.fed.iter().enumerate();
        self.fed.len() == events && fed.into_iter().all(|(i, it)| it.what == What::OfPage(i))
    }

    /// The version that the entity of a waiting event comes to, if the page changes
    /// it.
    pub(super) fn version_of(&self, event: &WaitingEvent) -> Option<u64> {
        let key = key(&event.tenant, &event.entity);
        let row = self.versions.iter().find(|row| row.values[..2] == key)?;
        match row.values[2] {
            Value::Integer(version) => Some(version as u64),
            _ => None,
        }
    }
}

/// Plans that the first event of an entity follows, whatever is missing before it.
/// `version` is what the entity has come to. What comes right behind it is released,
/// unless it is set aside: then all the others wait as before.
pub(super) fn step(kept: &OfEntity, version: u64, is_held: &dyn Fn(&WaitingEvent) -> bool) -> Plan {
    let mut plan = Plan::default();
    let mut kept = kept.values();
    let Some(event) = kept.next() else {
        return plan;
    };
    plan.removes.push(event.clone());
    if !event.given_up && is_held(event) {
        plan.set_aside.push(event.position);
        kept.for_each(|other| plan.mark(other, false));
        return plan;
    }
    plan.comes_to(&event.tenant, &event.entity, version, event.version);
    if !event.given_up {
        plan.fed.push(Fed {
            what: What::Kept(event.position),
            because_of: 0,
        });
    }
    if let Some(next) = kept.next().filter(|it| it.version == event.version + 1) {
        plan.mark(next, true);
    }
    plan
}

/// An entity while its page is planned.
struct Entity<'a> {
    version: u64,
    /// What has waited since an earlier page.
    kept: Option<&'a OfEntity>,
    /// What waits in this one, by version; as indices.
    new: BTreeMap<u64, usize>,
}

struct Planner<'a> {
    entities: Vec<Entity<'a>>,
    is_held: &'a dyn Fn(&WaitingEvent) -> bool,
    /// The events of the page are only counted.
    gives_up: bool,
    /// What has waited for an event is fed behind it; otherwise it is released, and
    /// follows by itself.
    goes_on: bool,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn feed(&mut self, what: What, because_of: usize) {
        self.plan.fed.push(Fed { what, because_of });
    }

    fn take(&mut self, i: usize, at: usize, version: u64) {
        let entity = &mut self.entities[at];
        let kept: Option<&'a WaitingEvent> = entity.kept.and_then(|kept| kept.get(&version));
        if version <= entity.version || entity.new.contains_key(&version) {
            self.plan.repeated += 1;
        } else if version == entity.version + 1 {
            entity.version = version;
            // Of one that was given up there may be another, which counts instead.
            self.plan.removes.extend(kept.cloned());
            if !self.gives_up {
                self.feed(What::OfPage(i), i);
            }
            self.go_on(i, at);
        } else if kept.is_some_and(|kept| !kept.given_up) {
            self.plan.repeated += 1;
        } else {
            self.plan.removes.extend(kept.cloned());
            entity.new.insert(version, i);
        }
    }

    /// Feeds what has waited for the version that an entity has just come to.
    fn go_on(&mut self, because_of: usize, at: usize) {
        loop {
            let entity = &mut self.entities[at];
            let next = entity.version + 1;
            if let Some(i) = entity.new.remove(&next) {
                entity.version = next;
                self.feed(What::OfPage(i), because_of);
                continue;
            }
            let kept: Option<&'a OfEntity> = entity.kept;
            let Some(event) = kept.and_then(|kept| kept.get(&next)) else {
                return;
            };
            if !self.goes_on {
                self.plan.mark(event, true);
                return;
            }
            self.plan.removes.push(event.clone());
            if !event.given_up && (self.is_held)(event) {
                // As a dead letter it holds its entity where it is.
                self.plan.set_aside.push(event.position);
                return;
            }
            self.entities[at].version = next;
            if !event.given_up {
                self.feed(What::Kept(event.position), because_of);
            }
        }
    }
}

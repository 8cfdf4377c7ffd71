//! The events that wait, by entity.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Position, WaitingEvent};

/// The waiting events of one entity, by version.
pub(super) type OfEntity = BTreeMap<u64, WaitingEvent>;

/// The waiting events of one generation.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By tenant and entity; nested, so that looking costs no copy of a name.
    entities: HashMap<String, HashMap<String, OfEntity>>,
    /// How many there are, but for those that were given up.
    events: usize,
    /// The tenants and entities of those that are released, by position.
    released: BTreeMap<Position, (String, String)>,
}

impl Waiting {
    pub(super) fn of(events: Vec<WaitingEvent>) -> Self {
        let mut waiting = Self::default();
        for event in events {
            waiting.insert(event);
        }
        waiting
    }

    /// How many wait. What was given up is only a version that counts.
    pub(super) fn len(&self) -> usize {
        self.events
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &WaitingEvent> {
        let entities = self.entities.values().flat_map(HashMap::values);
        entities.flat_map(BTreeMap::values)
    }

    pub(super) fn of_entity(&self, tenant: &str, entity: &str) -> Option<&OfEntity> {
        self.entities.get(tenant)?.get(entity)
    }

    /// The tenant and the entity of the first event that is released.
    pub(super) fn first_released(&self) -> Option<(&str, &str)> {
        let (_, (tenant, entity)) = self.released.first_key_value()?;
        Some((tenant, entity))
    }

    pub(super) fn insert(&mut self, event: WaitingEvent) {
        if event.released {
            let whose = (event.tenant.clone(), event.entity.clone());
            self.released.insert(event.position, whose);
        } else {
            self.released.remove(&event.position);
        }
        let entities = self.entities.entry(event.tenant.clone()).or_default();
        let versions = entities.entry(event.entity.clone()).or_default();
        self.events += usize::from(!event.given_up);
        let former = versions.insert(event.version, event);
        self.events -= usize::from(former.is_some_and(|it| !it.given_up));
    }

    pub(super) fn remove(&mut self, event: &WaitingEvent) {
        self.released.remove(&event.position);
        let Some(entities) = self.entities.get_mut(&event.tenant) else {
            return;
        };
        let Some(versions) = entities.get_mut(&event.entity) else {
            return;
        };
        let former = versions.remove(&event.version);
        self.events -= usize::from(former.is_some_and(|it| !it.given_up));
        if versions.is_empty() {
            entities.remove(&event.entity);
        }
        if entities.is_empty() {
            self.entities.remove(&event.tenant);
        }
    }
}

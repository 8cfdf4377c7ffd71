//! The rows of one table that are known, and which of them have changed.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::key;
use crate::model::{Row, Table, Value};

/// What is known about a key.
#[derive(Debug)]
pub(super) enum Known {
    Row(Arc<Row>),
    Absent,
    Unknown,
}

/// Where a row stands in the cache, valid until the next `forget` or `discard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotId(u32);

/// Rows by key. Slots keep their place, so that the list of changed rows is a
/// list of numbers, and forgetting leaves holes that are filled again.
#[derive(Debug)]
pub(super) struct TableCache {
    table: Table,
    hasher: DefaultHashBuilder,
    by_key: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    changed: Vec<u32>,
    /// What the rows changed by the present batch were before it.
    undo: Vec<Before>,
    /// How many rows had changed when the present batch began.
    changed_before: usize,
    /// The present batch, counted from 1.
    batch: u64,
    /// The present part of a batch, counted from 1 over all batches.
    part: u64,
    bytes: usize,
    /// Whether a row that is not here is known not to exist.
    complete: bool,
    /// Where the search for rows to forget goes on.
    hand: usize,
}

#[derive(Debug, Default)]
struct Slot {
    key: Box<[u8]>,
    row: Option<Arc<Row>>,
    weight: usize,
    /// The last group that changed the row; 0 when none has.
    group: u64,
    /// The last batch that changed the row; 0 when none has.
    batch: u64,
    /// The part of a batch, and the event of that part, that changed it last.
    part: u64,
    event: u32,
    used: Use,
}

/// A slot as it was before a batch.
#[derive(Debug)]
struct Before {
    at: u32,
    group: u64,
    /// `None` when the batch made the slot.
    row: Option<Option<Arc<Row>>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// The slot holds nothing.
    #[default]
    Free,
    /// Not used since the hand last passed.
    Idle,
    Recent,
}

/// What a slot costs beyond its key and row.
const SLOT_BYTES: usize = size_of::<Slot>() + 16;

impl TableCache {
    pub(super) fn new(table: Table, starts_empty: bool) -> Self {
        Self {
            table,
            hasher: DefaultHashBuilder::default(),
            by_key: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            undo: Vec::new(),
            changed_before: 0,
            batch: 1,
            part: 1,
            bytes: 0,
            complete: starts_empty,
            hand: 0,
        }
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn changed(&self) -> usize {
        self.changed.len()
    }

    /// What is known about a key.
    pub(super) fn find(&mut self, key: &[u8]) -> Known {
        match self.position(key) {
            Some(SlotId(at)) => {
                let slot = &mut self.slots[at as usize];
                slot.used = Use::Recent;
                slot.row.clone().map_or(Known::Absent, Known::Row)
            }
            None if self.complete => Known::Absent,
            None => Known::Unknown,
        }
    }

    /// Whether anything is known about a key.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.complete || self.position(key).is_some()
    }

    /// Takes note of a row as the database holds it. What the cache knows
    /// already is newer, and stays.
    pub(super) fn learn(&mut self, key: &[u8], row: Option<Arc<Row>>) {
        if self.position(key).is_none() {
            let at = self.insert(key);
            self.slots[at.0 as usize].row = row;
            self.weigh(at.0);
        }
    }

    /// The slot of a key. A new one counts as changed from the start: until the
    /// command that asked for it is through, nothing true is known of its row.
    #[inline]
    pub(super) fn slot(&mut self, key: &[u8], group: u64, event: u32) -> SlotId {
        match self.position(key) {
            Some(at) => at,
            None => {
                let at = self.insert(key);
                let slot = &mut self.slots[at.0 as usize];
                slot.group = group;
                slot.batch = self.batch;
                slot.part = self.part;
                slot.event = event;
                self.undo.push(Before {
                    at: at.0,
                    group: 0,
                    row: None,
                });
                self.changed.push(at.0);
                at
            }
        }
    }

    #[inline]
    pub(super) fn row(&self, at: SlotId) -> Option<&Arc<Row>> {
        self.slots[at.0 as usize].row.as_ref()
    }

    /// Whether it was this event of the present part that changed the row last.
    pub(super) fn changed_by(&self, at: SlotId, event: u32) -> bool {
        let slot = &self.slots[at.0 as usize];
        slot.part == self.part && slot.event == event
    }

    /// The row for changing it in place; copied first if a commit on its way
    /// still needs the former one.
    #[inline]
    pub(super) fn row_mut(&mut self, at: SlotId, group: u64, event: u32) -> &mut Option<Arc<Row>> {
        let slot = &mut self.slots[at.0 as usize];
        slot.used = Use::Recent;
        slot.part = self.part;
        slot.event = event;
        if slot.batch != self.batch {
            slot.batch = self.batch;
            self.undo.push(Before {
                at: at.0,
                group: slot.group,
                row: Some(slot.row.clone()),
            });
        }
        if slot.group != group {
            slot.group = group;
            self.changed.push(at.0);
        }
        &mut slot.row
    }

    /// The rows changed since the last call, and the keys of those removed.
    pub(super) fn take_changed(&mut self) -> (Vec<Arc<Row>>, Vec<Vec<Value>>) {
        self.changed_before = 0;
        let changed = std::mem::take(&mut self.changed);
        let mut puts = Vec::with_capacity(changed.len());
        let mut removes = Vec::new();
        for at in changed {
            self.weigh(at);
            let slot = &self.slots[at as usize];
            match &slot.row {
                Some(row) => puts.push(row.clone()),
                None => removes.push(key::decode(&self.table, &slot.key)),
            }
        }
        (puts, removes)
    }

    /// Begins a batch: from here on changes can be undone.
    pub(super) fn begin_batch(&mut self) {
        self.undo.clear();
        self.changed_before = self.changed.len();
        self.batch += 1;
        self.part += 1;
    }

    /// Begins a part of the batch: its events are others than those before.
    pub(super) fn begin_part(&mut self) {
        self.part += 1;
    }

    /// Puts every row back to what it was when the batch began.
    pub(super) fn undo_batch(&mut self) {
        for before in std::mem::take(&mut self.undo).into_iter().rev() {
            match before.row {
                Some(row) => {
                    let slot = &mut self.slots[before.at as usize];
                    slot.row = row;
                    slot.group = before.group;
                }
                None => self.remove(before.at),
            }
        }
        // What the batch was the first of its group to change stands at the end.
        self.changed.truncate(self.changed_before);
        self.batch += 1;
        self.part += 1;
    }

    /// Forgets rows until `bytes` are free, those longest unused first, by the
    /// second-chance rule. A row changed after `committed` stays: the database
    /// does not hold it yet. Returns how many bytes were freed.
    pub(super) fn forget(&mut self, bytes: usize, committed: u64) -> usize {
        let before = self.bytes;
        let mut steps = self.slots.len() * 2;
        while before - self.bytes < bytes && steps > 0 {
            steps -= 1;
            self.hand = (self.hand + 1) % self.slots.len();
            let slot = &mut self.slots[self.hand];
            match slot.used {
                Use::Recent => slot.used = Use::Idle,
                Use::Idle if slot.group <= committed => {
                    self.remove(self.hand as u32);
                    self.complete = false;
                }
                Use::Idle | Use::Free => {}
            }
        }
        before - self.bytes
    }

    #[inline]
    fn position(&self, key: &[u8]) -> Option<SlotId> {
        let hash = self.hasher.hash_one(key);
        self.by_key
            .find(hash, |&at| *self.slots[at as usize].key == *key)
            .map(|&at| SlotId(at))
    }

    fn insert(&mut self, key: &[u8]) -> SlotId {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        self.slots[at as usize] = Slot {
            key: key.into(),
            row: None,
            weight: key.len() + SLOT_BYTES,
            group: 0,
            batch: 0,
            part: 0,
            event: 0,
            used: Use::Recent,
        };
        self.bytes += key.len() + SLOT_BYTES;
        let (hasher, slots) = (&self.hasher, &self.slots);
        self.by_key
            .insert_unique(hasher.hash_one(key), at, |&other| {
                hasher.hash_one(&*slots[other as usize].key)
            });
        SlotId(at)
    }

    fn remove(&mut self, at: u32) {
        let slot = std::mem::take(&mut self.slots[at as usize]);
        self.bytes -= slot.weight;
        let hash = self.hasher.hash_one(&*slot.key);
        if let Ok(entry) = self.by_key.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        self.free.push(at);
    }

    fn weigh(&mut self, at: u32) {
        let slot = &mut self.slots[at as usize];
        let weight = slot.key.len() + SLOT_BYTES + slot.row.as_ref().map_or(0, |row| row.weight());
        self.bytes = self.bytes + weight - slot.weight;
        slot.weight = weight;
    }
}

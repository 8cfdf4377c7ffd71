//! A worker between two pages, with a database that can be looked into and a
//! projector that adds, patches and deletes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::quarantine::Quarantine;
use super::*;
use crate::config::FailurePolicy;
use crate::model::{
    Cell, Changes, Checkpoint, ColumnType, Commands, RawDescription, RawTable, Row, Value,
};
use crate::read_store::{RowReader, StoreError};
use crate::source::{Page, SourceError};
use crate::unit_of_work::UnitOfWork;

/// What an event does to the row of its entity; each also adds to one row that all
/// share.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    Upsert(i64),
    Patch(i64),
    Add(i64),
    Delete,
}

/// An event.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) tenant: &'static str,
    pub(super) entity: usize,
    pub(super) version: u64,
    pub(super) effects: Vec<Effect>,
}

/// Rows by their keys; the columns that are no key.
pub(super) type Rows = BTreeMap<String, (Option<i64>, Option<i64>)>;

pub(super) struct Visible {
    pub(super) rows: Rows,
    pub(super) waiting: Vec<WaitingEvent>,
}

impl Visible {
    pub(super) fn of(store: &Store) -> Self {
        let integer = |value: &Value| match value {
            Value::Integer(n) => Some(*n),
            _ => None,
        };
        let rows = store.tables.get(&0).into_iter().flat_map(HashMap::values);
        let rows = rows.map(|row| match &row.values[..] {
            [Value::Text(key), a, b] => (key.to_string(), (integer(a), integer(b))),
            other => panic!("{other:?}"),
        });
        Self {
            rows: rows.collect(),
            waiting: store.waiting.values().cloned().collect(),
        }
    }
}

/// A database: what is in it changes by commits alone.
#[derive(Debug, Default)]
pub(super) struct Store {
    tables: HashMap<usize, HashMap<String, Row>>,
    pub(super) waiting: BTreeMap<Position, WaitingEvent>,
    pub(super) checkpoint: u64,
}

pub(super) type Shared = Arc<Mutex<Store>>;

pub(super) fn lock(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap()
}

pub(super) struct Reads(Shared);

impl RowReader for Reads {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let store = lock(&self.0);
        let rows = store.tables.get(&table);
        let get = |key: &Vec<Value>| rows.and_then(|rows| rows.get(&format!("{key:?}")).cloned());
        Ok(keys.iter().map(get).collect())
    }
}

pub(super) struct LogReader(Vec<Happened>);

impl EventReader for LogReader {
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        let at = after.position().0 as usize;
        Ok(Page {
            events: events(&self.0, at..(at + limit.events).min(self.0.len())),
            ..Page::default()
        })
    }
}

/// A worker's state between two pages.
pub(super) struct Host {
    log: Vec<Happened>,
    store: Shared,
    ledger: Ledger,
    pub(super) order: Order,
}

impl Host {
    /// Begins with what is stored.
    pub(super) fn start(store: &Shared, log: &[Happened], budget: usize) -> Self {
        let column = |name: &str| (name.to_owned(), ColumnType::Integer, true);
        let about = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            tables: vec![RawTable {
                name: "t".into(),
                columns: vec![
                    ("id".into(), ColumnType::Text, false),
                    column("a"),
                    column("b"),
                ],
                key: vec!["id".into()],
                ..RawTable::default()
            }],
            order: Some(("$.e".into(), "$.v".into())),
            ..RawDescription::default()
        }
        .check()
        .unwrap();
        let tables = about.stored_tables();
        let is_empty = lock(store).checkpoint == 0;
        let unit = UnitOfWork::new(&tables, budget, is_empty).with_own(1);
        let waiting = lock(store).waiting.values().cloned().collect();
        let reader = Box::new(LogReader(log.to_vec()));
        let digest = Digest::of(b"");
        Self {
            log: log.to_vec(),
            ledger: Ledger::new(unit, Box::new(Reads(store.clone())), &tables),
            order: Order::new(
                about.order.as_ref().unwrap(),
                1,
                10_000,
                waiting,
                reader,
                &digest,
            ),
            store: store.clone(),
        }
    }

    /// Takes a page; fails on purpose once the projector was called so often. One
    /// event is taken by itself, and what is released follows by itself.
    pub(super) fn take(
        &mut self,
        page: std::ops::Range<usize>,
        lot: usize,
        fail_after: Option<usize>,
    ) -> Result<(), Trouble> {
        let task = match page.len() {
            1 => Task::ProjectAlone,
            _ => Task::Project,
        };
        self.follow_on();
        self.do_task(task, page, lot, fail_after)?;
        self.follow_on();
        Ok(())
    }

    fn follow_on(&mut self) {
        while self.order.next_released().is_some() {
            self.do_task(Task::Step, 0..0, 1, None).unwrap();
        }
    }

    pub(super) fn do_task(
        &mut self,
        task: Task,
        page: std::ops::Range<usize>,
        lot: usize,
        fail_after: Option<usize>,
    ) -> Result<(), Trouble> {
        let quarantine =
            Quarantine::new(FailurePolicy::default().while_live(), &[], BTreeMap::new());
        let turn = Turn {
            held: quarantine.held(),
            room: quarantine.room(),
            lot: PageLimit {
                events: lot,
                bytes: usize::MAX,
            },
            task,
        };
        let (page, log, ledger) = (events(&self.log, page), &self.log, &self.ledger);
        ledger.with_unit(|unit| unit.begin_batch());
        let mut calls = 0;
        let give = |batch: &EventBatch| {
            fold(ledger, log, batch);
            calls += 1;
            match fail_after.is_some_and(|most| calls > most) {
                true => Err(Trouble::Lasting("on purpose".into())),
                false => Ok(()),
            }
        };
        let taken = self.order.take(&page, ledger, &turn, give).map(drop);
        if taken.is_err() {
            self.ledger.with_unit(|unit| unit.undo_batch());
        }
        taken
    }

    pub(super) fn project(&mut self, batch: &EventBatch) {
        self.ledger.with_unit(|unit| unit.begin_batch());
        fold(&self.ledger, &self.log, batch);
    }

    pub(super) fn commit(&mut self, reached: u64) {
        let (mut changes, group) = self.ledger.with_unit(UnitOfWork::take_changes);
        changes.waiting = self.order.take_changes();
        lock(&self.store).write(&changes, reached);
        self.ledger.with_unit(|unit| unit.committed(group));
    }
}

impl Store {
    pub(super) fn write(&mut self, changes: &Changes, reached: u64) {
        for changes in &changes.tables {
            let rows = self.tables.entry(changes.table).or_default();
            for key in &changes.removes {
                rows.remove(&format!("{key:?}"));
            }
            for row in &changes.puts {
                let keys = if changes.table == 0 { 1 } else { 2 };
                let key = row.values[..keys].to_vec();
                rows.insert(format!("{key:?}"), (**row).clone());
            }
        }
        for position in &changes.waiting.removes {
            self.waiting.remove(position);
        }
        for event in &changes.waiting.puts {
            self.waiting.insert(event.position, event.clone());
        }
        self.checkpoint = reached;
    }
}

impl Happened {
    pub(super) fn key(&self) -> String {
        format!("{}/e{}", self.tenant, self.entity)
    }
}

/// Some events of a log, at positions from 1.
pub(super) fn events(log: &[Happened], range: std::ops::Range<usize>) -> EventBatch {
    let mut batch = EventBatch {
        type_names: vec!["t".into()],
        ..EventBatch::default()
    };
    for i in range {
        let event = &log[i];
        batch.positions.push(i as u64 + 1);
        batch.versions.push(1);
        batch.times.push(0);
        batch.types.push(0);
        let names = &mut batch.tenant_names;
        let tenant = names.iter().position(|name| name == event.tenant);
        batch.tenants.push(tenant.unwrap_or(names.len()) as u32);
        if tenant.is_none() {
            names.push(event.tenant.into());
        }
        let (entity, version) = (event.entity, event.version);
        batch.data += &format!(r#"{{"e": "e{entity}", "x": [{{}}], "v": {version}}}"#);
        batch.data_ends.push(batch.data.len() as u32);
        batch.streams.push('s');
        batch.stream_ends.push(batch.streams.len() as u32);
    }
    batch
}

/// What the projector does: it meets the events in the order in which they come.
pub(super) fn fold(ledger: &Ledger, log: &[Happened], batch: &EventBatch) {
    ledger.serve(crate::unit_of_work::Whose::default());
    let mut commands = Commands::default();
    let mut push = |event: usize, op: u8, key: &str, values: &[(u16, Cell<'_>)]| {
        commands.ops.push(op);
        commands.tables.push(0);
        commands.events.push(event as u32);
        commands.widths.push(values.len() as u16);
        commands.cells.push(Cell::Text(key));
        for (column, cell) in values {
            commands.columns.push(*column);
            commands.cells.push(*cell);
        }
    };
    for at in 0..batch.len() {
        let event = &log[batch.position(at).0 as usize - 1];
        for effect in &event.effects {
            let (op, values) = match effect {
                Effect::Upsert(a) => (0, vec![(1, Cell::Integer(*a))]),
                Effect::Patch(b) => (1, vec![(2, Cell::Integer(*b))]),
                Effect::Add(n) => (2, vec![(1, Cell::Integer(*n))]),
                Effect::Delete => (3, vec![]),
            };
            push(at, op, &event.key(), &values);
        }
        push(at, 2, "all", &[(1, Cell::Integer(1))]);
    }
    ledger.fold(&commands).unwrap();
}

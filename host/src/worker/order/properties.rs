//! What strict order promises: whatever is delivered twice, in whatever order, cut
//! into pages in whatever way, with retries, and with a kill between any two
//! commits, patches, increments and deletes end in the rows of the ordered log.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::config::FailurePolicy;
use crate::model::{Cell, Changes, ColumnType, Commands, RawDescription, RawTable, Row, Value};
use crate::read_store::{RowReader, StoreError};
use crate::source::{Page, SourceError};
use crate::unit_of_work::UnitOfWork;

/// What an event does to the row of its entity; each also adds to one row that all
/// share.
#[derive(Debug, Clone, Copy)]
enum Effect {
    Upsert(i64),
    Patch(i64),
    Add(i64),
    Delete,
}

/// An event.
#[derive(Debug, Clone)]
struct Happened {
    tenant: &'static str,
    entity: usize,
    version: u64,
    effects: Vec<Effect>,
}

/// How a log reaches the projector.
#[derive(Debug, Clone)]
struct Delivery {
    log: Vec<Happened>,
    /// Which events come once more.
    again: Vec<Index>,
    /// What decides the order.
    order: Vec<u32>,
    /// How many events each page takes, in turn.
    pages: Vec<usize>,
    /// How many the projector gets at once, in turn.
    lots: Vec<usize>,
    /// What happens after each page, in turn.
    between: Vec<Between>,
    /// Bytes of rows to remember between commits.
    budget: usize,
}

#[derive(Debug, Clone, Copy)]
enum Between {
    Nothing,
    /// The page fails on its way, is undone and done again.
    Retry,
    Commit,
    /// Everything since the last commit is lost.
    Kill,
}

fn log() -> impl Strategy<Value = Vec<Happened>> {
    let effect = prop_oneof![
        1 => (0..1_000i64).prop_map(Effect::Upsert),
        3 => (0..1_000i64).prop_map(Effect::Patch),
        3 => (1..100i64).prop_map(Effect::Add),
        1 => Just(Effect::Delete),
    ];
    let effects = prop::collection::vec(effect, 1..3);
    let entity = (any::<bool>(), prop::collection::vec(effects, 1..10));
    prop::collection::vec(entity, 1..6).prop_map(|entities| {
        let mut log = Vec::new();
        for (at, (is_shared_name, versions)) in entities.into_iter().enumerate() {
            // Two tenants may have entities of one name.
            let tenant = ["", "t0", "t1", "t2", "t3", "t4"][at];
            let entity = if is_shared_name { 0 } else { at };
            let numbered = versions.into_iter().zip(1..);
            log.extend(numbered.map(|(effects, version)| Happened {
                tenant,
                entity,
                version,
                effects,
            }));
        }
        log
    })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let between = prop_oneof![
        Just(Between::Nothing),
        Just(Between::Retry),
        Just(Between::Commit),
        Just(Between::Kill)
    ];
    (
        log(),
        prop::collection::vec(any::<Index>(), 0..20),
        prop::collection::vec(any::<u32>(), 80),
        prop::collection::vec(1..12usize, 1..6),
        prop::collection::vec(prop_oneof![Just(1), Just(3), Just(1_000)], 1..4),
        prop::collection::vec(between, 1..6),
        prop_oneof![Just(0), Just(1 << 20)],
    )
        .prop_map(
            |(log, again, order, pages, lots, between, budget)| Delivery {
                log,
                again,
                order,
                pages,
                lots,
                between,
                budget,
            },
        )
}

proptest! {
    #[test]
    fn any_delivery_ends_in_the_rows_of_the_ordered_log(delivery in delivery()) {
        let stored = delivered(&delivery, shuffled(&delivery), true);
        prop_assert_eq!(&stored.rows, &in_order(&delivery.log));
        prop_assert!(stored.waiting.is_empty());
    }
}

/// The property above is not one that any host has.
#[test]
fn without_screening_the_rows_are_others() {
    let event = |version, effect| Happened {
        tenant: "",
        entity: 0,
        version,
        effects: vec![effect],
    };
    let log = vec![event(1, Effect::Upsert(1)), event(2, Effect::Patch(2))];
    let delivery = Delivery {
        log: log.clone(),
        again: vec![],
        order: vec![0],
        pages: vec![1],
        lots: vec![1],
        between: vec![Between::Commit],
        budget: 0,
    };
    let reversed: Vec<_> = log.iter().rev().cloned().collect();
    let screened = delivered(&delivery, reversed.clone(), true);
    assert_eq!(screened.rows, in_order(&log));
    assert_ne!(delivered(&delivery, reversed, false).rows, in_order(&log));
}

#[test]
fn too_many_that_wait_stop_the_projector_and_lose_nothing() {
    let event = |entity, version| Happened {
        tenant: "x",
        entity,
        version,
        effects: vec![Effect::Add(1)],
    };
    let log = vec![event(0, 1), event(1, 3), event(0, 4), event(1, 4)];
    let store = Shared::default();
    let mut host = Host::start(&store, &log, 1 << 20);
    host.order.most = 2;
    host.take(0..3, 1_000, None).unwrap();
    let Err(Trouble::Stuck(failure)) = host.take(3..4, 1_000, None) else {
        panic!("three wait");
    };
    assert!(
        failure.cause.contains("3 events")
            && failure
                .cause
                .contains("version 3 of entity `e1` of tenant `x`, at position 2: version 1 has"),
        "{}",
        failure.cause
    );
    host.order.most = 3;
    host.take(3..4, 1_000, None).unwrap();
    host.commit(4);
    assert_eq!(lock(&store).waiting.len(), 3);
}

/// Rows by their keys; the columns that are no key.
type Rows = BTreeMap<String, (Option<i64>, Option<i64>)>;

/// The rows of the ordered log, each event once, worked out on a plain map.
fn in_order(log: &[Happened]) -> Rows {
    let mut rows = Rows::new();
    for event in log {
        let key = event.key();
        for effect in &event.effects {
            match effect {
                Effect::Upsert(a) => drop(rows.insert(key.clone(), (Some(*a), None))),
                Effect::Patch(b) => rows.entry(key.clone()).or_default().1 = Some(*b),
                Effect::Add(n) => {
                    let sum = &mut rows.entry(key.clone()).or_default().0;
                    *sum = Some(sum.unwrap_or(0) + n);
                }
                Effect::Delete => drop(rows.remove(&key)),
            }
        }
        let all = &mut rows.entry("all".into()).or_default().0;
        *all = Some(all.unwrap_or(0) + 1);
    }
    rows
}

/// Every event of the log at least once, in an order of its own.
fn shuffled(delivery: &Delivery) -> Vec<Happened> {
    let again = delivery.again.iter().map(|index| index.get(&delivery.log));
    let all: Vec<&Happened> = delivery.log.iter().chain(again).collect();
    let mut keyed: Vec<(u32, &Happened)> =
        delivery.order.iter().copied().cycle().zip(all).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, event)| event.clone()).collect()
}

/// What is stored after a delivery.
fn delivered(delivery: &Delivery, log: Vec<Happened>, is_screened: bool) -> Visible {
    let store = Shared::default();
    let mut host = Host::start(&store, &log, delivery.budget);
    let mut pages = delivery.pages.iter().cycle();
    let mut lots = delivery.lots.iter().cycle();
    let mut between = delivery.between.iter().cycle();
    let (mut at, mut kills) = (0, 0);
    while at < log.len() {
        let (Some(page), Some(lot)) = (pages.next(), lots.next()) else {
            break;
        };
        let end = (at + page).min(log.len());
        let between = *between.next().unwrap();
        let fail_after = matches!(between, Between::Retry).then_some(page % 3);
        match is_screened {
            // A page that fails is done again, unless it was over before.
            true => host
                .take(at..end, *lot, fail_after)
                .or_else(|_| host.take(at..end, *lot, None))
                .unwrap(),
            false => host.project(&events(&log, at..end)),
        }
        at = end;
        match between {
            Between::Commit => host.commit(at as u64),
            // Not for ever: a log that is never committed is never at its end.
            Between::Kill if kills < 20 => {
                kills += 1;
                host = Host::start(&store, &log, delivery.budget);
                at = lock(&store).checkpoint as usize;
                if kills % 2 == 0 {
                    let one = at..(at + 1).min(log.len());
                    at = one.end;
                    host.take(one, 1, None).unwrap();
                    host.commit(at as u64);
                }
            }
            _ => {}
        }
    }
    host.commit(at as u64);
    Visible::of(&lock(&store))
}

struct Visible {
    rows: Rows,
    waiting: Vec<WaitingEvent>,
}

impl Visible {
    fn of(store: &Store) -> Self {
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
struct Store {
    tables: HashMap<usize, HashMap<String, Row>>,
    waiting: BTreeMap<Position, WaitingEvent>,
    checkpoint: u64,
}

type Shared = Arc<Mutex<Store>>;

fn lock(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap()
}

struct Reads(Shared);

impl RowReader for Reads {
    fn get(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let store = lock(&self.0);
        let rows = store.tables.get(&table);
        let get = |key: &Vec<Value>| rows.and_then(|rows| rows.get(&format!("{key:?}")).cloned());
        Ok(keys.iter().map(get).collect())
    }
}

struct LogReader(Vec<Happened>);

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
struct Host {
    log: Vec<Happened>,
    store: Shared,
    ledger: Ledger,
    order: Order,
}

impl Host {
    /// Begins with what is stored.
    fn start(store: &Shared, log: &[Happened], budget: usize) -> Self {
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

    /// Takes a page; fails on purpose once the projector was called so often.
    fn take(
        &mut self,
        page: std::ops::Range<usize>,
        lot: usize,
        fail_after: Option<usize>,
    ) -> Result<(), Trouble> {
        let turn = Turn {
            quarantine: Quarantine::new(FailurePolicy::default().while_live(), &[], None),
            lot: PageLimit {
                events: lot,
                bytes: usize::MAX,
            },
            gives_up: false,
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

    fn project(&mut self, batch: &EventBatch) {
        self.ledger.with_unit(|unit| unit.begin_batch());
        fold(&self.ledger, &self.log, batch);
    }

    fn commit(&mut self, reached: u64) {
        let (mut changes, group) = self.ledger.with_unit(UnitOfWork::take_changes);
        changes.waiting = self.order.take_changes();
        lock(&self.store).write(&changes, reached);
        self.ledger.with_unit(|unit| unit.committed(group));
    }
}

impl Store {
    fn write(&mut self, changes: &Changes, reached: u64) {
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
    fn key(&self) -> String {
        format!("{}/e{}", self.tenant, self.entity)
    }
}

/// Some events of a log, at positions from 1.
fn events(log: &[Happened], range: std::ops::Range<usize>) -> EventBatch {
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
fn fold(ledger: &Ledger, log: &[Happened], batch: &EventBatch) {
    ledger.serve_tenant("");
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

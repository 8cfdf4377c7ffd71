//! What a guard promises: whatever is delivered twice, in whatever order, and
//! however it is cut into batches and commits, whole-row commands end in the
//! rows of the ordered log.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::tests::{Block, Database, Made, Visible, fold, table};
use super::*;

/// What one event does to its entity, in order. All of it carries the event's
/// version.
type Effects = Vec<Effect>;

#[derive(Debug, Clone)]
enum Effect {
    Upsert(i64),
    Delete,
}

/// An event: the entity, its version, and what it does.
#[derive(Debug, Clone)]
struct Happened {
    entity: i64,
    version: u64,
    effects: Effects,
}

/// How a log reaches the projector.
#[derive(Debug, Clone)]
struct Delivery {
    log: Vec<Happened>,
    /// Which events come once more.
    again: Vec<Index>,
    /// What decides the order.
    order: Vec<u32>,
    /// How many events each batch takes, in turn.
    batches: Vec<usize>,
    /// What happens after each batch, in turn.
    between: Vec<Between>,
    /// Bytes of rows to remember: at 0 every row is forgotten at every commit,
    /// and learnt from the database when it is touched again.
    budget: usize,
    starts_empty: bool,
}

#[derive(Debug, Clone, Copy)]
enum Between {
    Nothing,
    /// The batch is undone and done again, as after a failure.
    Retry,
    /// A commit is on its way while the next batch is gathered.
    Commit,
}

fn effects() -> impl Strategy<Value = Effects> {
    let effect = prop_oneof![
        3 => (0..1_000i64).prop_map(Effect::Upsert),
        1 => Just(Effect::Delete),
    ];
    prop::collection::vec(effect, 1..3)
}

/// Entities with up to eight versions each.
fn log() -> impl Strategy<Value = Vec<Happened>> {
    let entities = prop::collection::vec(prop::collection::vec(effects(), 1..8), 1..6);
    entities.prop_map(|entities| {
        let of_entity = |(entity, versions): (usize, Vec<Effects>)| {
            let numbered = versions.into_iter().zip(1..);
            let events = numbered.map(move |(effects, version)| Happened {
                entity: entity as i64,
                version,
                effects,
            });
            events.collect::<Vec<_>>()
        };
        entities
            .into_iter()
            .enumerate()
            .flat_map(of_entity)
            .collect()
    })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let between = prop_oneof![
        Just(Between::Nothing),
        Just(Between::Retry),
        Just(Between::Commit)
    ];
    (
        log(),
        prop::collection::vec(any::<Index>(), 0..20),
        prop::collection::vec(any::<u32>(), 60),
        prop::collection::vec(1..8usize, 1..6),
        prop::collection::vec(between, 1..6),
        prop_oneof![Just(0), Just(1 << 20)],
        any::<bool>(),
    )
        .prop_map(
            |(log, again, order, batches, between, budget, starts_empty)| Delivery {
                log,
                again,
                order,
                batches,
                between,
                budget,
                starts_empty,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whole_row_commands_may_come_twice_and_in_any_order(delivery in delivery()) {
        prop_assert_eq!(delivered(&delivery), in_order(&delivery.log));
    }
}

/// The rows of the ordered log, each event once, worked out on a plain map.
fn in_order(log: &[Happened]) -> Visible {
    let mut rows: Visible = BTreeMap::new();
    for event in log {
        for effect in &event.effects {
            match effect {
                Effect::Upsert(amount) => rows.insert(event.entity, (Some(*amount), None)),
                Effect::Delete => rows.remove(&event.entity),
            };
        }
    }
    rows
}

/// The rows after a delivery through the unit of work.
fn delivered(delivery: &Delivery) -> Visible {
    let table = table(true);
    let starts_empty = delivery.starts_empty;
    let mut unit = UnitOfWork::new(std::slice::from_ref(&table), delivery.budget, starts_empty);
    let mut database = Database::default();
    let mut on_its_way: Option<(Changes, Group)> = None;
    let mut land = |unit: &mut UnitOfWork, database: &mut Database, next| {
        if let Some((changes, group)) = std::mem::replace(&mut on_its_way, next) {
            database.write(&table, &changes);
            unit.committed(group);
        }
    };
    let mut rest = &shuffled(delivery)[..];
    let mut sizes = delivery.batches.iter().cycle();
    let mut between = delivery.between.iter().cycle();
    while let Some(size) = sizes.next().filter(|_| !rest.is_empty()) {
        let (batch, left) = rest.split_at((*size).min(rest.len()));
        rest = left;
        let commands = commands(batch);
        unit.begin_batch();
        fold(&mut unit, &database, &commands);
        match between.next() {
            Some(Between::Retry) => {
                unit.undo_batch();
                fold(&mut unit, &database, &commands);
            }
            Some(Between::Commit) => {
                land(&mut unit, &mut database, None);
                let taken = unit.take_changes();
                land(&mut unit, &mut database, Some(taken));
            }
            Some(Between::Nothing) | None => {}
        }
    }
    land(&mut unit, &mut database, None);
    let taken = unit.take_changes();
    land(&mut unit, &mut database, Some(taken));
    land(&mut unit, &mut database, None);
    database.visible()
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

fn commands(events: &[Happened]) -> Commands {
    let mut block = Block::default();
    for (index, event) in events.iter().enumerate() {
        for effect in &event.effects {
            let (op, values) = match effect {
                Effect::Upsert(amount) => (0, vec![(1, Some(*amount))]),
                Effect::Delete => (3, vec![]),
            };
            block.push(&Made {
                op,
                id: event.entity,
                guard: event.version,
                values,
            });
            if let Some(of_event) = block.0.events.last_mut() {
                *of_event = index as u32;
            }
        }
    }
    block.0
}

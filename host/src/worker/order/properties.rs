//! What strict order promises: whatever is delivered twice, in whatever order, cut
//! into pages in whatever way, with retries, and with a kill between any two
//! commits, patches, increments and deletes end in the rows of the ordered log.

use proptest::prelude::*;
use proptest::sample::Index;

use super::bench::*;
use super::*;

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

#[test]
fn what_was_given_up_takes_no_room() {
    let event = |entity, version| Happened {
        tenant: "x",
        entity,
        version,
        effects: vec![Effect::Add(1)],
    };
    let log = vec![
        event(0, 3),
        event(0, 4),
        event(0, 5),
        event(1, 2),
        event(2, 2),
    ];
    let store = Shared::default();
    let mut host = Host::start(&store, &log, 1 << 20);
    host.order.most = 1;
    for given_up in 0..3 {
        host.do_task(Task::GiveUp, given_up..given_up + 1, 1, None)
            .unwrap();
    }
    host.take(3..4, 1_000, None).unwrap();
    host.commit(4);
    // So it is after a restart.
    let mut host = Host::start(&store, &log, 1 << 20);
    host.order.most = 1;
    let Err(Trouble::Stuck(failure)) = host.take(4..5, 1_000, None) else {
        panic!("two wait");
    };
    assert!(
        failure.cause.contains("2 events") && failure.cause.contains("of entity `e1`"),
        "{}",
        failure.cause
    );
}

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

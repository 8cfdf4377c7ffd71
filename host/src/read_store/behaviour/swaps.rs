//! Readers' names, handed from one generation to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bench::*;
use crate::model::{ColumnType, GenerationState};
use crate::read_store::{StoreError, Swap};

pub(in crate::read_store) async fn a_swap_waits_for_the_checkpoint(bench: &impl Bench) {
    let store = bench.store();
    let mut live = begin(store, &orders("1.0.0")).await;
    live.store(&puts([order("a", 1)]), 10);
    let mut next = begin(store, &orders("2.0.0")).await;
    next.store(&puts([order("a", 2)]), 9);
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Behind);
    assert_eq!(rows(store, "orders").await, values([order("a", 1)]));
    next.store(&puts([]), 10);
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
    assert_eq!(rows(store, "orders").await, values([order("a", 2)]));
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Gone);
    let record = record(store, "orders").await;
    assert_eq!(record.live().unwrap().id, next.id);
    assert_eq!(record.retired().unwrap().id, live.id);
}

pub(in crate::read_store) async fn a_swap_changes_the_set_of_tables(bench: &impl Bench) {
    let store = bench.store();
    begin(store, &orders("1.0.0")).await;
    let mut raw = described("orders", "2.0.0", &[("total", ColumnType::Integer)]);
    raw.tables[0].name = "new_orders".into();
    let description = raw.check().unwrap();
    let mut next = begin(store, &description).await;
    next.store(&puts([order("a", 2)]), 1);
    store.swap(next.id).await.unwrap();
    let mut poller = bench.poller();
    assert_eq!(poller.count_and_sum("new_orders", "total"), Ok((1, 2)));
    assert!(poller.count_and_sum("orders", "total").is_err());
    // The retired generation keeps its name, for a return.
    assert_eq!(
        store.owner_of("orders").await.unwrap(),
        Some(projector("orders"))
    );
    store.roll_back(&projector("orders")).await.unwrap();
    assert_eq!(poller.count_and_sum("orders", "total").unwrap().0, 0);
    assert!(poller.count_and_sum("new_orders", "total").is_err());
}

pub(in crate::read_store) async fn a_roll_back_returns_the_former_rows(bench: &impl Bench) {
    let store = bench.store();
    let name = projector("orders");
    let mut first = begin(store, &orders("1.0.0")).await;
    first.store(&puts([order("a", 1)]), 5);
    let error = store.roll_back(&name).await.unwrap_err();
    assert!(matches!(error, StoreError::NothingRetired(_)), "{error:?}");

    let mut second = begin(store, &orders("2.0.0")).await;
    second.store(&puts([order("a", 2)]), 7);
    store.swap(second.id).await.unwrap();
    let third = begin(store, &orders("3.0.0")).await;
    assert_eq!(store.roll_back(&name).await.unwrap(), first.id);
    assert_eq!(rows(store, "orders").await, values([order("a", 1)]));
    let states: Vec<_> = record(store, "orders")
        .await
        .generations
        .iter()
        .map(|g| (g.id, g.state))
        .collect();
    assert_eq!(
        states,
        [
            (first.id, GenerationState::Live),
            (second.id, GenerationState::Retired)
        ]
    );
    assert!(third.id > second.id);

    // There and back again; a third build then drops the one retired before.
    assert_eq!(store.roll_back(&name).await.unwrap(), second.id);
    let mut fourth = begin(store, &orders("4.0.0")).await;
    fourth.store(&puts([]), 7);
    assert_eq!(store.swap(fourth.id).await.unwrap(), Swap::Done);
    let ids: Vec<_> = record(store, "orders")
        .await
        .generations
        .iter()
        .map(|g| g.id)
        .collect();
    assert_eq!(ids, [second.id, fourth.id]);
}

pub(in crate::read_store) async fn a_swap_respects_a_stranger_that_came_meanwhile(
    bench: &impl Bench,
) {
    let store = bench.store();
    let live = begin(store, &orders("1.0.0")).await;
    let mut raw = described("orders", "2.0.0", &[]);
    raw.tables[0].name = "invoices".into();
    let next = begin(store, &raw.check().unwrap()).await;
    bench.execute("CREATE TABLE Invoices (id INTEGER)").await;
    let error = store.swap(next.id).await.unwrap_err();
    assert!(matches!(error, StoreError::TableTaken { .. }), "{error:?}");
    assert_eq!(record(store, "orders").await.live().unwrap().id, live.id);
    assert!(rows(store, "orders").await.is_empty());
}

pub(in crate::read_store) async fn readers_never_see_a_swap_half_done(bench: &impl Bench) {
    const ROWS: i64 = 50;
    let store = bench.store();
    // Every generation has all rows, and in all of them the same number.
    let fill = |total: i64| puts((0..ROWS).map(move |i| order(&format!("o{i}"), total)));
    let mut first = begin(store, &orders("1.0.0")).await;
    first.store(&fill(0), 1);
    let done = Arc::new(AtomicBool::new(false));
    let (mut poller, stop) = (bench.poller(), done.clone());
    let polling = std::thread::spawn(move || {
        let mut seen = std::collections::BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            let (count, sum) = poller
                .count_and_sum("orders", "total")
                .expect("the name is always there");
            assert_eq!((count, sum % ROWS), (ROWS, 0), "a part of a table was seen");
            seen.insert(sum / ROWS);
        }
        seen
    });
    for total in 1..=20 {
        let mut next = begin(store, &orders(&format!("{}.0.0", total + 1))).await;
        next.store(&fill(total), 1);
        assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
        if total % 5 == 0 {
            store.roll_back(&projector("orders")).await.unwrap();
        }
    }
    done.store(true, Ordering::Relaxed);
    let seen = polling.join().expect("the reader never fails");
    assert!(seen.len() > 1, "the reader saw only {seen:?}");
}

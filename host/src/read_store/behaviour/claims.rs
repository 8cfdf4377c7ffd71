//! The right to work on a generation.

use super::bench::*;
use crate::model::{ColumnType, Digest};
use crate::read_store::{Committed, StoreError};

pub(in crate::read_store) async fn a_claim_knows_whether_the_tables_are_empty(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    assert!(open.claim.is_empty);
    open.store(&puts([]), 4);
    let claim = store.claim(open.id, "tests").await.unwrap();
    assert!(
        !claim.is_empty,
        "rows may have been deleted by an event that must not be seen twice"
    );
    assert_eq!(claim.checkpoint, at(4));
}

pub(in crate::read_store) async fn a_new_claim_ends_the_former(bench: &impl Bench) {
    let store = bench.store();
    let open = begin(store, &orders("1.0.0")).await;
    let next = store.claim(open.id, "another").await.unwrap();
    assert!(next.epoch > open.claim.epoch);
    let error = store
        .claim(crate::model::GenerationId(999), "another")
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NoGeneration(_)), "{error:?}");
}

pub(in crate::read_store) async fn adopting_another_component_ends_the_claim(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    let mut description = orders("1.0.0");
    description.needs.ids = true;
    store
        .adopt(open.id, &description, &Digest::of(b"other"))
        .await
        .unwrap();
    let live = record(store, "orders").await.live().unwrap().clone();
    assert_eq!(
        (live.description, live.digest),
        (description, Digest::of(b"other"))
    );
    assert!(matches!(
        open.commit(&puts([]), 1).unwrap(),
        Committed::Fenced(_)
    ));

    let wider = described("orders", "1.0.0", &[("total", ColumnType::Text)])
        .check()
        .unwrap();
    assert!(
        store
            .adopt(open.id, &wider, &Digest::of(b"wider"))
            .await
            .is_err()
    );
}

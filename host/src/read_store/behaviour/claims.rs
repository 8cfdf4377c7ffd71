//! The right to work on a generation.

use super::bench::*;
use crate::model::{ColumnType, Digest};
use crate::read_store::{Claimed, Committed, StoreError};

pub(in crate::read_store) async fn a_claim_knows_whether_the_tables_are_empty(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    assert!(open.claim.is_empty);
    open.store(&puts([]), 4);
    let claim = claim(store, open.id, "tests").await;
    assert!(
        !claim.is_empty,
        "rows may have been deleted by an event that must not be seen twice"
    );
    assert_eq!(claim.checkpoint, at(4));
}

pub(in crate::read_store) async fn a_new_claim_ends_the_former(bench: &impl Bench) {
    let store = bench.store();
    let open = begin(store, &orders("1.0.0")).await;
    // A host's own former lease, be it of a start that was killed, is no obstacle.
    let again = store.claim(open.id, &owner("tests", "second")).await;
    let Claimed::Taken(next) = again.unwrap() else {
        panic!("the host has a lock on itself");
    };
    assert!(next.epoch > open.claim.epoch);
    let nowhere = crate::model::GenerationId(999);
    let error = store
        .claim(nowhere, &owner("tests", "second"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NoGeneration(_)), "{error:?}");
}

pub(in crate::read_store) async fn a_lease_keeps_other_hosts_out(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let mut open = begin(store, &orders("1.0.0")).await;
    let theirs = owner("elsewhere", "first");
    if !store.is_shared() {
        let taken = other.claim(open.id, &theirs).await.unwrap();
        assert!(matches!(taken, Claimed::Taken(_)), "{taken:?}");
        return;
    }
    let held = other.claim(open.id, &theirs).await.unwrap();
    assert_eq!(held, Claimed::Held { by: "tests".into() });
    // Whoever was refused has not disturbed the holder.
    open.store(&puts([order("a", 1)]), 1);
    // Only the holder can give the lease back.
    store.release(open.id, &theirs).await.unwrap();
    let former = owner("tests", "former");
    store.release(open.id, &former).await.unwrap();
    let held = other.claim(open.id, &theirs).await.unwrap();
    assert_eq!(held, Claimed::Held { by: "tests".into() });

    let ours = owner("tests", "first");
    store.release(open.id, &ours).await.unwrap();
    let Claimed::Taken(taken) = other.claim(open.id, &theirs).await.unwrap() else {
        panic!("the lease was given back");
    };
    assert_eq!(taken.checkpoint, at(1));
    assert!(matches!(
        open.commit(&puts([]), 2).unwrap(),
        Committed::Fenced(_)
    ));
    let held = store.claim(open.id, &ours).await.unwrap();
    let by = "elsewhere".into();
    assert_eq!(held, Claimed::Held { by });
}

pub(in crate::read_store) async fn a_release_of_what_is_gone_is_no_error(bench: &impl Bench) {
    let store = bench.store();
    let nowhere = crate::model::GenerationId(999);
    let ours = owner("tests", "first");
    store.release(nowhere, &ours).await.unwrap();
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

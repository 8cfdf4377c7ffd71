//! How generations begin and end, and whose names are whose.

use super::bench::*;
use crate::model::{ColumnType, Description, Digest, GenerationState};
use crate::read_store::{ReadStore, StoreError};

pub(in crate::read_store) async fn the_first_generation_is_live_at_once(bench: &impl Bench) {
    let store = bench.store();
    let first = begin(store, &orders("1.0.0")).await;
    assert!(rows(store, "orders").await.is_empty());
    let second = begin(store, &orders("2.0.0")).await;
    let record = record(store, "orders").await;
    let states: Vec<_> = record
        .generations
        .iter()
        .map(|g| (g.id, g.state, g.live_at.is_some()))
        .collect();
    assert_eq!(
        states,
        [
            (first.id, GenerationState::Live, true),
            (second.id, GenerationState::Building, false)
        ]
    );
}

pub(in crate::read_store) async fn a_name_has_one_owner(bench: &impl Bench) {
    let store = bench.store();
    begin(store, &orders("1.0.0")).await;
    assert_eq!(
        refused(store, &claiming("rival", "orders")).await,
        "projector `orders`"
    );
    assert_eq!(
        store.owner_of("orders").await.unwrap(),
        Some(projector("orders"))
    );
    assert_eq!(store.owner_of("nothing").await.unwrap(), None);
    // A name is reserved from the moment that a build may come to need it.
    begin(store, &claiming("orders", "extra")).await;
    assert_eq!(
        refused(store, &claiming("rival", "extra")).await,
        "projector `orders`"
    );
    // A refusal leaves nothing.
    assert_eq!(store.projectors().await.unwrap().len(), 1);
}

pub(in crate::read_store) async fn a_stranger_keeps_its_name(bench: &impl Bench) {
    let store = bench.store();
    bench.execute("CREATE TABLE orders (id INTEGER)").await;
    let owner = refused(store, &orders("1.0.0")).await;
    assert!(
        owner.starts_with("someone else") && owner.contains("table"),
        "{owner}"
    );
    bench.execute("DROP TABLE orders").await;
    begin(store, &orders("1.0.0")).await;
}

pub(in crate::read_store) async fn a_new_build_replaces_the_unfinished_one(bench: &impl Bench) {
    let store = bench.store();
    begin(store, &orders("1.0.0")).await;
    let mut given_up = begin(store, &orders("2.0.0")).await;
    let next = begin(store, &orders("3.0.0")).await;
    assert_eq!(
        record(store, "orders").await.building().unwrap().id,
        next.id
    );
    assert!(next.id > given_up.id);
    let outcome = format!("{:?}", given_up.commit(&puts([]), 1).unwrap());
    assert!(outcome.contains("is gone"), "{outcome}");
}

pub(in crate::read_store) async fn an_abandoned_generation_leaves_nothing(bench: &impl Bench) {
    let store = bench.store();
    let live = begin(store, &orders("1.0.0")).await;
    let building = begin(store, &orders("2.0.0")).await;
    store.abandon(building.id).await.unwrap();
    store.abandon(live.id).await.unwrap();
    let record = record(store, "orders").await;
    assert_eq!(
        record.generations.iter().map(|g| g.id).collect::<Vec<_>>(),
        [live.id]
    );
    assert_no_table(store, building.id, &orders("2.0.0"));
}

pub(in crate::read_store) async fn a_dropped_projector_leaves_nothing(bench: &impl Bench) {
    let store = bench.store();
    let mut first = begin(store, &orders("1.0.0")).await;
    first.store(&puts([order("a", 1)]), 1);
    begin(store, &orders("2.0.0")).await;
    store.drop_projector(&projector("orders")).await.unwrap();
    assert!(store.projectors().await.unwrap().is_empty());
    assert!(bench.poller().count_and_sum("orders", "total").is_err());
    assert_no_table(store, first.id, &orders("1.0.0"));
    let error = store
        .drop_projector(&projector("orders"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NoProjector(_)), "{error:?}");
    // The name is free again, and numbers are not used twice.
    assert!(begin(store, &claiming("rival", "orders")).await.id > first.id);
}

pub(in crate::read_store) async fn leftovers_are_swept(bench: &impl Bench) {
    let store = bench.store();
    let live = begin(store, &orders("1.0.0")).await;
    let building = begin(store, &orders("2.0.0")).await;
    // As if killed between the record of an abandonment and the drop of tables.
    bench
        .execute(&format!(
            "DELETE FROM lantern_generations WHERE id = {}",
            building.id
        ))
        .await;
    store.sweep().await.unwrap();
    assert_no_table(store, building.id, &orders("2.0.0"));
    let mut reader = store.row_reader(live.id, &orders("1.0.0").tables).unwrap();
    assert_eq!(look_up(&mut *reader, &["a"]).unwrap(), [None]);
}

pub(in crate::read_store) async fn a_decision_that_was_overtaken_is_refused(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let first = begin(store, &orders("1.0.0")).await.id;
    let overtaken = async |newest| {
        let digest = Digest::of(b"late");
        let begun = store
            .begin_generation(&orders("9.0.0"), &digest, newest)
            .await;
        matches!(begun, Err(StoreError::Overtaken(name)) if name == "orders")
    };
    assert!(overtaken(None).await);
    let second = begin(other.as_ref(), &orders("2.0.0")).await.id;
    assert!(overtaken(Some(first)).await);
    // Nothing has changed: neither was the build given up nor one begun.
    let ids: Vec<_> = record(store, "orders")
        .await
        .generations
        .iter()
        .map(|g| g.id)
        .collect();
    assert_eq!(ids, [first, second]);
    store.abandon(second).await.unwrap();
    assert!(overtaken(Some(second)).await);
    assert!(!overtaken(Some(first)).await);
}

/// A projector with a table of its own name and another.
fn claiming(name: &str, table: &str) -> Description {
    let mut raw = described(name, "2.0.0", &[("total", ColumnType::Integer)]);
    let mut other = raw.tables[0].clone();
    other.name = table.into();
    raw.tables.push(other);
    raw.check().unwrap()
}

async fn refused(store: &dyn ReadStore, description: &Description) -> String {
    let newest = newest(store, &description.name).await;
    match store
        .begin_generation(description, &Digest::of(b""), newest)
        .await
        .unwrap_err()
    {
        StoreError::TableTaken { owner, .. } => owner,
        other => panic!("{other:?} is not about a table's owner"),
    }
}

fn assert_no_table(
    store: &dyn ReadStore,
    id: crate::model::GenerationId,
    description: &Description,
) {
    let read = store
        .row_reader(id, &description.tables)
        .and_then(|mut reader| look_up(&mut *reader, &["a"]));
    assert!(matches!(read, Err(StoreError::NoGeneration(_))), "{read:?}");
}

/// More at once than a pool has connections.
pub(in crate::read_store) async fn many_generations_are_indexed_at_once(bench: &impl Bench) {
    let store = bench.store();
    let mut begun = Vec::new();
    for i in 0..12 {
        begun.push(
            begin(
                store,
                &claiming(&format!("projector{i}"), &format!("table{i}")),
            )
            .await
            .id,
        );
    }
    let indexed = begun.iter().map(|id| store.build_indexes(*id));
    for result in futures_util::future::join_all(indexed).await {
        result.unwrap();
    }
    let records = store.projectors().await.unwrap();
    assert!(
        records
            .iter()
            .all(|record| record.live().is_some_and(|live| live.indexed))
    );
}

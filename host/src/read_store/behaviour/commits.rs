//! Rows and checkpoint, together or not at all.

use super::bench::*;
use crate::model::{Checkpoint, ColumnType, Position, RawDescription, Row, Value};
use crate::read_store::{Committed, StoreError};

pub(in crate::read_store) async fn a_commit_stores_rows_and_checkpoint(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    open.store(&puts([order("a", 1), order("b", 2)]), 10);
    open.store(&changes([order("c", 3)], ["a", "never there"]), 12);
    assert_eq!(
        rows(store, "orders").await,
        values([order("b", 2), order("c", 3)])
    );
    let record = record(store, "orders").await;
    assert_eq!(record.live().unwrap().checkpoint, at(12));

    let mut reader = store.row_reader(open.id, &orders("1.0.0").tables).unwrap();
    assert_eq!(
        look_up(&mut *reader, &["c", "a", "b"]).unwrap(),
        [Some(order("c", 3)), None, Some(order("b", 2))]
    );
}

pub(in crate::read_store) async fn values_of_every_type_come_back(bench: &impl Bench) {
    use ColumnType as T;
    let store = bench.store();
    let types = [
        T::Boolean,
        T::Integer,
        T::Float,
        T::Decimal,
        T::Text,
        T::Bytes,
        T::Timestamp,
        T::Uuid,
        T::Json,
    ];
    let names: Vec<String> = types.iter().map(|kind| format!("a_{kind}")).collect();
    let columns: Vec<_> = names.iter().map(String::as_str).zip(types).collect();
    let description = described("things", "1.0.0", &columns).check().unwrap();
    let full = Row {
        values: vec![
            text("full"),
            Value::Bool(true),
            Value::Integer(i64::MIN),
            Value::Float(-0.5),
            text("79228162514264337593543950335"),
            text("it's \"é\" \u{1f980}"),
            Value::Bytes([0, 255, 39].as_slice().into()),
            Value::Integer(1_700_000_000_123_456),
            text("67e55044-10b1-426f-9247-bb680e5fe0c8"),
            text(r#"{"a": [1, 2.50]}"#),
        ],
        ..Row::default()
    };
    let mut bare = vec![text("bare")];
    bare.resize(10, Value::Null);
    let bare = Row {
        values: bare,
        ..Row::default()
    };

    let mut open = begin(store, &description).await;
    open.store(&puts([full.clone(), bare.clone()]), 1);
    let mut reader = store.row_reader(open.id, &description.tables).unwrap();
    let found = look_up(&mut *reader, &["full", "bare"]).unwrap();
    assert_eq!(found, [Some(full.clone()), Some(bare.clone())]);
    assert_eq!(rows(store, "things").await, values([bare, full]));
}

pub(in crate::read_store) async fn a_put_replaces_the_whole_row(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    open.store(&puts([order("a", 1)]), 1);
    let emptied = Row {
        values: vec![text("a"), Value::Null],
        ..Row::default()
    };
    open.store(&puts([emptied.clone()]), 2);
    assert_eq!(rows(store, "orders").await, values([emptied]));
}

pub(in crate::read_store) async fn every_reason_for_a_fence_is_told(bench: &impl Bench) {
    let store = bench.store();
    let description = orders("1.0.0");
    let mut former = begin(store, &description).await;
    former.store(&puts([]), 12);
    let mut owner = reopen(store, former.id, &description).await;
    let fenced = |open: &mut Open| match open.commit(&puts([order("x", 0)]), 99).unwrap() {
        Committed::Fenced(reason) => reason,
        Committed::Stored => panic!("the commit should have been fenced"),
    };
    assert_eq!(
        fenced(&mut former),
        "another host took over (epoch 2, ours 1)"
    );
    owner.claim.checkpoint = at(10);
    assert_eq!(fenced(&mut owner), "checkpoint stands at 12, not at 10");
    owner.claim.checkpoint = at(12);

    let mut next = begin(store, &orders("2.0.0")).await;
    next.store(&puts([]), 12);
    store.swap(next.id).await.unwrap();
    assert_eq!(
        fenced(&mut owner),
        format!("generation {} is retired", owner.id)
    );
    assert_eq!(
        fenced(&mut next),
        "another host took over (epoch 2, ours 1)"
    );

    store.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(fenced(&mut next), format!("generation {} is gone", next.id));
    let mut reader = store.row_reader(next.id, &description.tables).unwrap();
    let error = look_up(&mut *reader, &["a"]).unwrap_err();
    assert!(matches!(error, StoreError::NoGeneration(_)), "{error:?}");
}

pub(in crate::read_store) async fn a_fenced_commit_stores_nothing(bench: &impl Bench) {
    let store = bench.store();
    let description = orders("1.0.0");
    let mut former = begin(store, &description).await;
    let mut owner = reopen(store, former.id, &description).await;
    former.commit(&puts([order("a", 1)]), 5).unwrap();
    assert!(rows(store, "orders").await.is_empty());
    assert_eq!(
        record(store, "orders").await.live().unwrap().checkpoint,
        Checkpoint::start()
    );
    // The one who was refused is not in the way of the owner.
    owner.store(&puts([order("b", 2)]), 5);
}

pub(in crate::read_store) async fn several_partitions_move_each_on_its_own(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    let points = |list: &[(&str, u64)]| {
        Checkpoint::from_partitions(
            list.iter()
                .map(|(name, p)| ((*name).to_owned(), Position(*p))),
        )
    };
    let steps = [
        points(&[]),
        points(&[("p0", 3), ("p1", 1)]),
        points(&[("p0", 3), ("p1", 9), ("p2", 2)]),
    ];
    for step in steps.windows(2) {
        let committed = commit(&mut *open.writer, &puts([]), &step[0], &step[1]).unwrap();
        assert_eq!(committed, Committed::Stored);
    }
    assert_eq!(claim(store, open.id, "tests").await.checkpoint, steps[2]);
}

pub(in crate::read_store) async fn tombstones_are_kept_but_not_shown(bench: &impl Bench) {
    let store = bench.store();
    let description = guarded(described(
        "orders",
        "1.0.0",
        &[("total", ColumnType::Integer)],
    ));
    let description = description.check().unwrap();
    let mut open = begin(store, &description).await;
    let alive = Row {
        version: 3,
        ..order("a", 1)
    };
    let dead = Row {
        version: u64::MAX,
        deleted: true,
        ..order("b", 2)
    };
    open.store(&puts([alive.clone(), dead.clone()]), 1);
    assert_eq!(rows(store, "orders").await, values([alive.clone()]));
    let mut reader = store.row_reader(open.id, &description.tables).unwrap();
    let found = look_up(&mut *reader, &["a", "b"]).unwrap();
    assert_eq!(found, [Some(alive), Some(dead)]);
}

pub(in crate::read_store) async fn readers_survive_changes_elsewhere(bench: &impl Bench) {
    let store = bench.store();
    let description = orders("1.0.0");
    let mut open = begin(store, &description).await;
    let mut reader = store.row_reader(open.id, &description.tables).unwrap();
    open.store(&puts([order("a", 1)]), 1);
    assert_eq!(
        look_up(&mut *reader, &["a"]).unwrap(),
        [Some(order("a", 1))]
    );
    let other = described("others", "1.0.0", &[]).check().unwrap();
    begin(store, &other).await;
    bench
        .execute("CREATE TABLE a_table_of_somebody_else (a INTEGER)")
        .await;
    open.store(&puts([order("a", 2)]), 2);
    assert_eq!(
        look_up(&mut *reader, &["a"]).unwrap(),
        [Some(order("a", 2))]
    );
}

/// The same, guarded.
pub(in crate::read_store) fn guarded(mut raw: RawDescription) -> RawDescription {
    raw.tables[0].guarded = true;
    raw
}

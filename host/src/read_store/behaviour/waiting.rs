//! What strict order needs of a store: events that wait change with the checkpoint,
//! and the host has a table of its own in each generation.

use super::bench::*;
use crate::model::{
    Changes, ColumnType, Digest, Position, Row, TableChanges, Value, WaitingChanges, WaitingCount,
    WaitingEvent,
};
use crate::read_store::Committed;

fn waits(position: u64, entity: &str, given_up: bool) -> WaitingEvent {
    WaitingEvent {
        position: Position(position),
        tenant: "x".into(),
        entity: entity.into(),
        version: position + 1,
        stream: "s".into(),
        given_up,
        released: false,
    }
}

pub(in crate::read_store) async fn waiting_events_are_stored_with_the_checkpoint(
    bench: &impl Bench,
) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    let mut events = [
        waits(2, "b", false),
        waits(3, "a", true),
        waits(7, "a", false),
    ];
    let of = |puts: &[WaitingEvent], removes: &[u64]| WaitingChanges {
        puts: puts.to_vec(),
        removes: removes.iter().copied().map(Position).collect(),
    };
    // With the first rows, which a database may write in a way of its own.
    let first = Changes {
        waiting: of(&events[..1], &[]),
        ..puts([order("a", 1)])
    };
    open.store(&first, 4);
    let more = Changes {
        waiting: of(&events[1..], &[]),
        ..Changes::default()
    };
    open.store(&more, 9);
    assert_eq!(store.waiting(open.id).await.unwrap(), events);
    let count = async || store.projectors().await.unwrap()[0].live().unwrap().waiting;
    let two = WaitingCount {
        events: 2,
        oldest: Some(Position(2)),
    };
    assert_eq!(count().await, two, "what was given up does not wait");

    // What an operator wants of them is told, and a host sees that it was asked.
    let asked = async || store.projectors().await.unwrap()[0].live().unwrap().asked;
    let before = asked().await;
    let release = async |tenant, entity| {
        let released = store.release_waiting(open.id, tenant, entity).await;
        released.unwrap()
    };
    assert_eq!(release(Some("y"), "a").await, 0);
    assert_eq!(
        release(None, "a").await,
        1,
        "what was given up does not wait"
    );
    assert_eq!(asked().await, before + 2);
    events[2].released = true;
    assert_eq!(store.waiting(open.id).await.unwrap(), events);

    // A commit that is refused leaves them as they are.
    let gone = Changes {
        waiting: of(&[], &[2, 7]),
        ..puts([order("b", 1)])
    };
    let refused = commit(&mut *open.writer, &gone, &at(1), &at(10));
    assert!(matches!(refused.unwrap(), Committed::Fenced(_)));
    assert_eq!(store.waiting(open.id).await.unwrap(), events);
    open.store(&gone, 10);
    assert_eq!(store.waiting(open.id).await.unwrap(), events[1..2]);
    assert_eq!(count().await, WaitingCount::default());
    store.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(store.waiting(open.id).await.unwrap(), []);
}

pub(in crate::read_store) async fn the_host_has_a_table_of_its_own_in_a_generation(
    bench: &impl Bench,
) {
    let store = bench.store();
    let mut raw = described("orders", "1.0.0", &[("total", ColumnType::Integer)]);
    raw.order = Some(("$.id".into(), "$.version".into()));
    let about = raw.check().unwrap();
    let tables = about.stored_tables();
    let mut open = begin(store, &about).await;
    let version = Row {
        values: vec![text(""), text("é 1"), Value::Integer(7)],
        ..Row::default()
    };
    let changes = Changes {
        tables: vec![TableChanges {
            table: tables.len() - 1,
            puts: vec![version.clone().into()],
            removes: vec![],
        }],
        ..Changes::default()
    };
    open.store(&changes, 3);
    let mut reader = store.row_reader(open.id, &tables).unwrap();
    let keys = [vec![text(""), text("é 1")], vec![text("x"), text("é 1")]];
    let found = tokio::task::block_in_place(|| reader.get(tables.len() - 1, &keys)).unwrap();
    assert_eq!(found, [Some(version), None]);
    // It is no name of the readers', and another order is another set of tables.
    assert_eq!(store.owner_of("lantern_versions").await.unwrap(), None);
    let digest = Digest::of(b"another");
    let plain = orders("1.0.0");
    assert!(store.adopt(open.id, &plain, &digest).await.is_err());
    store.adopt(open.id, &about, &digest).await.unwrap();
}

//! Rows of a part, put in the place of those that are live.

use super::bench::*;
use super::dead_letters::{letter, set_aside};
use crate::model::{
    Changes, ColumnType, DeadLetterChoice, Description, Fill, IndexKind, Part, Position,
    RawDescription, Row, Scope, Value,
};
use crate::read_store::{Committed, ReadStore, StoreError, Swap, TakeOver};

const ALL: DeadLetterChoice = DeadLetterChoice::All;

fn seats(unique: bool, guarded: bool) -> Description {
    raw_seats(unique, guarded).check().unwrap()
}

fn raw_seats(unique: bool, guarded: bool) -> RawDescription {
    let mut raw = described("seats", "1.0.0", &[("seat", ColumnType::Integer)]);
    raw.tables[0].tenant_keyed = true;
    raw.tables[0].guarded = guarded;
    if unique {
        raw.tables[0].indexes = vec![(IndexKind::Unique, vec![("seat".into(), None, false)])];
    }
    raw
}

fn seat(tenant: &str, id: &str, seat: i64) -> Row {
    Row {
        values: vec![text(tenant), text(id), Value::Integer(seat)],
        ..Row::default()
    }
}

fn tenant(name: &str) -> Part {
    Part {
        tenant: Some(name.into()),
        stream: None,
    }
}

async fn begin_part(store: &dyn ReadStore, live: &Open, about: &Description) -> Open {
    begin_part_of(store, live, about, tenant("a")).await
}

async fn begin_part_of(
    store: &dyn ReadStore,
    live: &Open,
    about: &Description,
    part: Part,
) -> Open {
    let record = record(store, about.name.as_str()).await;
    let digest = &record.live().unwrap().digest;
    let scope = Scope::Part(part);
    let begun = store.begin_scoped(about, digest, Some(live.id), &scope);
    reopen(store, begun.await.unwrap(), about).await
}

/// A live generation at position 9 with rows of two tenants, and its part `a` with
/// others.
async fn two_tenants(store: &dyn ReadStore, about: &Description) -> (Open, Open) {
    let mut live = begin(store, about).await;
    live.store(
        &puts([seat("a", "x", 1), seat("a", "gone", 2), seat("b", "x", 3)]),
        9,
    );
    store.build_indexes(live.id).await.unwrap();
    let mut part = begin_part(store, &live, about).await;
    part.store(&puts([seat("a", "x", 10), seat("a", "new", 11)]), 9);
    store.build_indexes(part.id).await.unwrap();
    (live, part)
}

pub(in crate::read_store) async fn a_part_takes_the_place_of_its_rows_and_of_no_others(
    bench: &impl Bench,
) {
    let store = bench.store();
    let about = seats(false, true);
    let mut live = begin(store, &about).await;
    let tombstone = Row {
        version: 7,
        deleted: true,
        ..seat("a", "dead", 0)
    };
    live.store(&puts([seat("a", "x", 1), seat("b", "x", 3)]), 8);
    let letters = [letter(4, "a", "s"), letter(5, "b", "s")];
    live.store(&set_aside(letters.clone()), 9);
    let mut part = begin_part(store, &live, &about).await;
    let newer = letter(6, "a", "t");
    let filled = Changes {
        dead_letters: set_aside([newer.clone()]).dead_letters,
        ..puts([seat("a", "x", 10), tombstone.clone()])
    };
    part.store(&filled, 9);
    assert!(
        !record(store, "seats")
            .await
            .building()
            .unwrap()
            .is_part_ready()
    );
    store.build_indexes(part.id).await.unwrap();
    let now = record(store, "seats").await;
    assert!(now.building().unwrap().is_part_ready());
    assert_eq!(now.newest().unwrap().id, live.id, "it brings no component");

    let taken = store.take_over(&live.claim, part.id).await.unwrap();
    assert_eq!(taken, TakeOver::Done);
    let expected = [seat("a", "x", 10), seat("b", "x", 3)];
    assert_eq!(rows(store, "seats").await, values(expected));
    let found = store.dead_letters(live.id, &ALL, 9).await.unwrap();
    assert_eq!(found, [letters[1].clone(), newer]);
    let now = record(store, "seats").await;
    assert_eq!(now.generations.len(), 1, "the part is no more");
    assert_eq!(now.live().unwrap().checkpoint, at(9));
    assert_eq!(now.live().unwrap().took_over, Some(part.id));
    let again = store.take_over(&live.claim, part.id).await.unwrap();
    assert_eq!(again, TakeOver::Gone);

    // Whoever worked on it has former rows in memory, and must begin anew.
    let fenced = live.commit(&puts([]), 10).unwrap();
    assert!(matches!(fenced, Committed::Fenced(_)), "{fenced:?}");
    let mut live = reopen(store, live.id, &about).await;
    let mut reader = store.row_reader(live.id, &about.tables).unwrap();
    let key = vec![vec![text("a"), text("dead")]];
    let found = tokio::task::block_in_place(|| reader.get(0, &key)).unwrap();
    assert_eq!(found, [Some(tombstone)], "tombstones go along");
    live.store(&puts([seat("a", "x", 12)]), 10);
}

pub(in crate::read_store) async fn a_part_must_stand_where_the_live_rows_stand(bench: &impl Bench) {
    let store = bench.store();
    let about = seats(false, false);
    let (mut live, part) = two_tenants(store, &about).await;
    let before = rows(store, "seats").await;
    let refused = async |claim, reason: &str| {
        let taken = store.take_over(claim, part.id).await.unwrap();
        assert!(
            matches!(&taken, TakeOver::Fenced(how) if how.contains(reason)),
            "{taken:?}"
        );
    };
    // Somebody else has the live generation.
    let former = live.claim.clone();
    live = reopen(store, live.id, &about).await;
    refused(&former, "epoch").await;
    // It has gone on.
    live.store(&puts([seat("b", "y", 4)]), 10);
    refused(&live.claim, "checkpoint stands at 10").await;
    assert_eq!(rows(store, "seats").await.len(), before.len() + 1);
    // A part never becomes live, and a rebuild of all gives it up.
    assert_eq!(store.swap(part.id).await.unwrap(), Swap::Gone);
    begin(store, &about).await;
    let taken = store.take_over(&live.claim, part.id).await.unwrap();
    assert_eq!(taken, TakeOver::Gone);
}

pub(in crate::read_store) async fn a_part_at_odds_with_others_rows_changes_nothing(
    bench: &impl Bench,
) {
    let store = bench.store();
    // Streams of one tenant share its unique values.
    let mut raw = raw_seats(true, false);
    raw.tables[0].stream_keyed = true;
    let about = raw.check().unwrap();
    let in_stream = |stream: &str, id: &str, number: i64| {
        let mut row = seat("a", id, number);
        row.values.insert(1, text(stream));
        row
    };
    let mut live = begin(store, &about).await;
    live.store(
        &puts([
            in_stream("s", "x", 1),
            in_stream("s", "y", 2),
            in_stream("r", "x", 3),
        ]),
        9,
    );
    store.build_indexes(live.id).await.unwrap();
    let part = Part {
        stream: Some("s".into()),
        ..tenant("a")
    };
    let mut part = begin_part_of(store, &live, &about, part).await;
    let before = rows(store, "seats").await;
    part.store(&puts([in_stream("s", "odd", 3)]), 9);
    store.build_indexes(part.id).await.unwrap();
    let error = store.take_over(&live.claim, part.id).await.unwrap_err();
    let StoreError::NotUnique { table, columns } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (table.as_str(), columns.as_str()),
        ("seats", "tenant, seat")
    );
    assert_eq!(rows(store, "seats").await, before);
    assert!(record(store, "seats").await.building().is_some());
    // Values may move between the part's own rows.
    part.store(&puts([in_stream("s", "odd", 2), in_stream("s", "x", 1)]), 9);
    let taken = store.take_over(&live.claim, part.id).await.unwrap();
    assert_eq!(taken, TakeOver::Done);
}

pub(in crate::read_store) async fn a_tenants_part_never_meets_others_unique_values(
    bench: &impl Bench,
) {
    let store = bench.store();
    let (live, mut part) = two_tenants(store, &seats(true, false)).await;
    // Tenant b has seat 3.
    part.store(&puts([seat("a", "same", 3)]), 9);
    let taken = store.take_over(&live.claim, part.id).await.unwrap();
    assert_eq!(taken, TakeOver::Done);
    let expected = [
        seat("a", "new", 11),
        seat("a", "same", 3),
        seat("a", "x", 10),
        seat("b", "x", 3),
    ];
    assert_eq!(rows(store, "seats").await, values(expected));
}

pub(in crate::read_store) async fn a_part_comes_into_tables_that_never_had_a_row(
    bench: &impl Bench,
) {
    let store = bench.store();
    let about = seats(false, false);
    let mut live = begin(store, &about).await;
    live.store(&puts([]), 9);
    let mut part = begin_part(store, &live, &about).await;
    part.store(&puts([seat("a", "x", 1)]), 9);
    store.build_indexes(part.id).await.unwrap();
    store.take_over(&live.claim, part.id).await.unwrap();
    let mut live = reopen(store, live.id, &about).await;
    assert!(!live.claim.is_empty);
    live.store(&puts([seat("a", "x", 2)]), 10);
    assert_eq!(rows(store, "seats").await, values([seat("a", "x", 2)]));
}

pub(in crate::read_store) async fn a_rewind_goes_back_and_pauses(bench: &impl Bench) {
    let store = bench.store();
    let about = orders("1.0.0");
    let mut live = begin(store, &about).await;
    live.store(&puts([order("a", 9)]), 9);
    let digest = record(store, "orders").await.live().unwrap().digest.clone();
    let scope = Scope::UpTo(Position(5));
    let begun = store.begin_scoped(&about, &digest, Some(live.id), &scope);
    let mut next = reopen(store, begun.await.unwrap(), &about).await;
    next.store(&puts([order("a", 4)]), 4);
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Behind);
    next.store(&puts([order("a", 5)]), 5);
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
    assert_eq!(rows(store, "orders").await, values([order("a", 5)]));
    let now = record(store, "orders").await;
    assert_eq!(now.wanted, crate::model::WantedState::Paused);
    assert_eq!(now.live().unwrap().stands_rewound_at(), Some(Position(5)));
    store.roll_back(&projector("orders")).await.unwrap();
    assert_eq!(rows(store, "orders").await, values([order("a", 9)]));
}

pub(in crate::read_store) async fn rows_are_counted_and_fills_are_kept(bench: &impl Bench) {
    let store = bench.store();
    let (live, part) = two_tenants(store, &seats(false, false)).await;
    for (part, count) in [(None, 3), (Some(tenant("a")), 2), (Some(tenant("c")), 0)] {
        let counted = store.count_rows(live.id, part.as_ref()).await;
        assert_eq!(counted.unwrap(), count, "{part:?}");
    }
    let fill = |events, micros| Fill { events, micros };
    assert_eq!(store.fill_of(part.id).await.unwrap(), fill(0, 0));
    store.note_fill(part.id, fill(5, 70)).await.unwrap();
    store.note_fill(part.id, fill(1, 30)).await.unwrap();
    assert_eq!(store.fill_of(part.id).await.unwrap(), fill(6, 100));
    assert_eq!(fill(6, 100).events_per_second(), Some(60_000.0));
}

//! Unique indexes.

use super::bench::*;
use super::commits::guarded;
use crate::model::{Checkpoint, ColumnType, Description, IndexKind, RawDescription, Row};
use crate::read_store::{ReadStore, StoreError};

pub(in crate::read_store) async fn a_violation_names_table_and_columns(bench: &impl Bench) {
    let store = bench.store();
    let mut open = indexed(store, &users().check().unwrap()).await;
    open.store(&puts([user("a", "x")]), 1);
    let error = open
        .commit(&puts([user("b", "y"), user("c", "x")]), 2)
        .unwrap_err();
    expect_not_unique(&error, "users", "email");
    // Nothing was stored, and the writer is as good as before.
    assert_eq!(rows(store, "users").await, values([user("a", "x")]));
    open.store(&puts([user("b", "y")]), 2);
}

pub(in crate::read_store) async fn a_violation_in_rows_that_are_there_fails_the_index(
    bench: &impl Bench,
) {
    let store = bench.store();
    let mut open = begin(store, &users().check().unwrap()).await;
    open.store(&puts([user("a", "x"), user("b", "x")]), 1);
    let error = store.build_indexes(open.id).await.unwrap_err();
    expect_not_unique(&error, "users", "email");
    assert!(!record(store, "users").await.live().unwrap().indexed);

    open.store(&puts([user("b", "y")]), 2);
    store.build_indexes(open.id).await.unwrap();
    assert!(record(store, "users").await.live().unwrap().indexed);
}

pub(in crate::read_store) async fn a_value_may_move_between_rows_in_one_commit(bench: &impl Bench) {
    let store = bench.store();
    let mut open = indexed(store, &users().check().unwrap()).await;
    open.store(&puts([user("a", "x"), user("b", "y")]), 1);
    // B takes what A gives up, told in either order; then both exchange.
    open.store(&puts([user("a", "z"), user("b", "x")]), 2);
    open.store(&puts([user("a", "x"), user("b", "w")]), 3);
    open.store(&puts([user("a", "w"), user("b", "x")]), 4);
    // C takes what a removed row had.
    open.store(&changes([user("c", "w")], ["a"]), 5);
    assert_eq!(
        rows(store, "users").await,
        values([user("b", "x"), user("c", "w")])
    );
}

pub(in crate::read_store) async fn a_row_that_is_written_over_has_its_newest_version(
    bench: &impl Bench,
) {
    let store = bench.store();
    let about = guarded(users()).check().unwrap();
    // Until the index is made, a row is written over; then it is written anew.
    let mut open = begin(store, &about).await;
    for (version, deleted) in [(1, false), (2, true), (3, false)] {
        let row = Row {
            version,
            deleted,
            ..user("a", "x")
        };
        open.store(&puts([row.clone()]), version);
        let mut reader = store.row_reader(open.id, &about.tables).unwrap();
        assert_eq!(look_up(&mut *reader, &["a"]).unwrap(), [Some(row)]);
    }
}

pub(in crate::read_store) async fn a_tombstone_holds_no_value_back(bench: &impl Bench) {
    let store = bench.store();
    let mut open = indexed(store, &guarded(users()).check().unwrap()).await;
    open.store(
        &puts([Row {
            version: 1,
            ..user("a", "x")
        }]),
        1,
    );
    let dead = Row {
        version: 2,
        deleted: true,
        ..user("a", "x")
    };
    open.store(
        &puts([
            Row {
                version: 1,
                ..user("b", "x")
            },
            dead,
        ]),
        2,
    );
    assert_eq!(rows(store, "users").await, values([user("b", "x")]));
    let error = open
        .commit(
            &puts([Row {
                version: 3,
                ..user("a", "x")
            }]),
            3,
        )
        .unwrap_err();
    expect_not_unique(&error, "users", "email");
}

pub(in crate::read_store) async fn rows_under_a_path_are_unique(bench: &impl Bench) {
    let store = bench.store();
    let mut raw = described("users", "1.0.0", &[("body", ColumnType::Json)]);
    let part = ("body".to_owned(), Some("$.login.name".to_owned()), true);
    raw.tables[0].indexes = vec![
        (IndexKind::Ordered, vec![("body".into(), None, false)]),
        (IndexKind::Unique, vec![part]),
    ];
    let mut open = indexed(store, &raw.check().unwrap()).await;
    open.store(&puts([user("a", r#"{"login":{"name":"x"}}"#)]), 1);
    let error = open
        .commit(&puts([user("b", r#"{"login":{"name":"x"},"n":1}"#)]), 2)
        .unwrap_err();
    expect_not_unique(&error, "users", "body $.login.name");
    assert_eq!(
        open.claim.checkpoint,
        Checkpoint::at(crate::model::Position(1))
    );
}

pub(in crate::read_store) async fn each_tenant_has_unique_values_of_its_own(bench: &impl Bench) {
    let store = bench.store();
    let mut open = indexed(store, &tenants_users(false).check().unwrap()).await;
    open.store(&puts([of_tenant("t", user("a", "x"))]), 1);
    open.store(&puts([of_tenant("u", user("a", "x"))]), 2);
    let twice = puts([of_tenant("t", user("b", "x"))]);
    expect_not_unique(
        &open.commit(&twice, 3).unwrap_err(),
        "users",
        "tenant, email",
    );
    let both = [
        of_tenant("t", user("a", "x")),
        of_tenant("u", user("a", "x")),
    ];
    assert_eq!(rows(store, "users").await, values(both));
}

pub(in crate::read_store) async fn tenants_that_share_a_value_have_their_index_made(
    bench: &impl Bench,
) {
    let store = bench.store();
    for guarded in [false, true] {
        let mut raw = tenants_users(guarded);
        raw.version = if guarded { "2.0.0" } else { "1.0.0" }.into();
        let mut open = begin(store, &raw.check().unwrap()).await;
        open.store(
            &puts([
                of_tenant("t", user("a", "x")),
                of_tenant("u", user("a", "x")),
            ]),
            1,
        );
        store.build_indexes(open.id).await.unwrap();
        let twice = puts([of_tenant("u", user("b", "x"))]);
        expect_not_unique(
            &open.commit(&twice, 2).unwrap_err(),
            "users",
            "tenant, email",
        );
    }
}

/// [`users`] of tenants.
fn tenants_users(guarded: bool) -> RawDescription {
    let mut raw = users();
    raw.tables[0].tenant_keyed = true;
    raw.tables[0].guarded = guarded;
    raw
}

fn of_tenant(tenant: &str, mut row: Row) -> Row {
    row.values.insert(0, text(tenant));
    row
}

/// A projector `users` with a unique email address.
fn users() -> RawDescription {
    let mut raw = described("users", "1.0.0", &[("email", ColumnType::Text)]);
    raw.tables[0].indexes = vec![(IndexKind::Unique, vec![("email".into(), None, false)])];
    raw
}

fn user(id: &str, email: &str) -> Row {
    Row {
        values: vec![text(id), text(email)],
        ..Row::default()
    }
}

/// A live generation that has its indexes.
async fn indexed(store: &dyn ReadStore, description: &Description) -> Open {
    let open = begin(store, description).await;
    store.build_indexes(open.id).await.unwrap();
    open
}

fn expect_not_unique(error: &StoreError, expected_table: &str, expected_columns: &str) {
    let StoreError::NotUnique { table, columns } = error else {
        panic!("{error:?} is not about a unique index");
    };
    assert_eq!(
        (table.as_str(), columns.as_str()),
        (expected_table, expected_columns)
    );
}

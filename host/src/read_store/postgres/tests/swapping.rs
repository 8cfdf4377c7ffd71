//! Swaps among readers who hold the names.

use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::bench::{PostgresBench, options};
use crate::model::ColumnType;
use crate::postgres::{Database, DatabaseOptions};
use crate::read_store::behaviour::bench::*;
use crate::read_store::{PostgresOptions, ReadStore, StoreError, Swap};
use crate::transaction::{PostgresTransaction, SharedTransaction};

fn impatient() -> PostgresOptions {
    PostgresOptions {
        lock_wait: Duration::from_millis(200),
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_that_finds_the_names_in_use_says_who_has_them() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(impatient()).await;
    let mut live = begin(&store, &orders("1.0.0")).await;
    live.store(&puts([order("a", 1)]), 1);
    let mut next = begin(&store, &orders("2.0.0")).await;
    next.store(&puts([order("a", 2)]), 1);

    let reader = bench.session();
    reader.run("SET application_name = 'monthly report'; BEGIN; SELECT * FROM orders");
    let pid = reader.pid().to_string();
    let started = Instant::now();
    let Swap::Busy(who) = store.swap(next.id).await.unwrap() else {
        panic!("a swap went past a reader");
    };
    let waited = started.elapsed();
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    for part in [
        &*pid,
        "monthly report",
        "postgres",
        "idle in transaction",
        "`orders`",
    ] {
        assert!(who.contains(part), "{part} is not in: {who}");
    }
    // Nothing has changed, and nobody is held up.
    live.store(&puts([order("b", 1)]), 2);
    next.store(&puts([order("b", 2)]), 2);
    let found = bench
        .session()
        .query("SELECT total FROM orders WHERE id = 'b'");
    assert_eq!(found, [[Some("1".to_owned())]]);

    reader.run("COMMIT");
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
    let found = bench
        .session()
        .query("SELECT total FROM orders WHERE id = 'b'");
    assert_eq!(found, [[Some("2".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_takes_all_names_or_none() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(impatient()).await;
    let two = |version| {
        let mut raw = described("first", version, &[("total", ColumnType::Integer)]);
        let mut second = raw.tables[0].clone();
        second.name = "second".into();
        raw.tables.push(second);
        raw.check().unwrap()
    };
    begin(&store, &two("1.0.0")).await;
    let next = begin(&store, &two("2.0.0")).await;
    let reader = bench.session();
    reader.run("BEGIN; SELECT * FROM second");
    let swap = store.swap(next.id).await.unwrap();
    assert!(
        matches!(&swap, Swap::Busy(who) if who.contains("`second`")),
        "{swap:?}"
    );
    // A reader of both in one transaction is no deadlock.
    reader.run("SELECT * FROM first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_wait_no_longer_than_a_swap_may() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(impatient()).await;
    begin(&store, &orders("1.0.0")).await;
    let next = begin(&store, &orders("2.0.0")).await;
    let holder = bench.session();
    holder.run("BEGIN; SELECT * FROM orders");
    let other = bench.session();
    let swapping = tokio::spawn(async move { store.swap(next.id).await.unwrap() });
    let mut longest = Duration::ZERO;
    while !swapping.is_finished() {
        let started = Instant::now();
        tokio::task::block_in_place(|| other.run("SELECT * FROM orders"));
        longest = longest.max(started.elapsed());
    }
    assert!(matches!(swapping.await.unwrap(), Swap::Busy(_)));
    assert!(longest < Duration::from_secs(4), "{longest:?}");
}

/// An append that has to wait for a swap must not write to the generation that was
/// live before: the fence would refuse it, and so the append.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_that_waited_for_a_swap_finds_the_new_generation() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let live = begin(&bench.store, &orders("1.0.0")).await;
    let next = begin(&bench.store, &orders("2.0.0")).await;
    let reader = bench.session();
    reader.run("BEGIN; SELECT * FROM orders");
    let other = bench.open(options()).await;
    let swapping = tokio::spawn(async move { other.swap(next.id).await.unwrap() });
    until_waiting(&bench, 1).await;

    let database = Database::new(bench.database.url(), &DatabaseOptions::default()).unwrap();
    let mut connection = PgConnection::connect(bench.database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN")
        .execute(&mut connection)
        .await
        .unwrap();
    let append = SharedTransaction::Postgres(PostgresTransaction::new(database, connection));
    let other = bench.open(options()).await;
    let asking = tokio::task::spawn_blocking(move || {
        let standing = other.inline_standing(&append, &projector("orders"));
        standing.unwrap().unwrap().claim.generation
    });
    until_waiting(&bench, 2).await;
    reader.run("COMMIT");
    assert_eq!(swapping.await.unwrap(), Swap::Done);
    assert_eq!(asking.await.unwrap(), next.id, "not {}", live.id);
}

/// Waits until so many transactions wait for others.
async fn until_waiting(bench: &PostgresBench, count: usize) {
    let session = bench.session();
    let waiting = "SELECT pid FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while tokio::task::block_in_place(|| session.query(waiting).len()) != count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_and_an_end_wait_for_readers_too() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(impatient()).await;
    begin(&store, &orders("1.0.0")).await;
    let next = begin(&store, &orders("2.0.0")).await;
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
    let reader = bench.session();
    reader.run("BEGIN; SELECT * FROM orders");
    let pid = reader.pid().to_string();
    for error in [
        store.roll_back(&projector("orders")).await.unwrap_err(),
        store
            .drop_projector(&projector("orders"))
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_transient(), "{error:?}");
        let StoreError::Unavailable(cause) = error else {
            panic!("{error:?} is not about readers");
        };
        let cause = cause.to_string();
        assert!(
            cause.contains("`orders`") && cause.contains(&pid),
            "{cause}"
        );
    }
    reader.run("COMMIT");
    store.roll_back(&projector("orders")).await.unwrap();
    store.drop_projector(&projector("orders")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_transaction_is_named() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(impatient()).await;
    begin(&store, &orders("1.0.0")).await;
    let next = begin(&store, &orders("2.0.0")).await;
    let session = bench.session();
    session.run(
        "CREATE TABLE notes (n int); BEGIN; SELECT * FROM orders; INSERT INTO notes VALUES (1)",
    );
    let name = format!("forgotten in {}", bench.database.name());
    if let Err(error) = session.try_query(&format!("PREPARE TRANSACTION '{name}'")) {
        assert!(error.message.contains("disabled"), "{error}");
        return;
    }
    let swap = store.swap(next.id).await.unwrap();
    session.run(&format!("ROLLBACK PREPARED '{name}'"));
    assert!(
        matches!(&swap, Swap::Busy(who) if who.contains(&name)),
        "{swap:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_are_still_read_go_later() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let first = begin(store, &orders("1.0.0")).await;
    let second = begin(store, &orders("2.0.0")).await;
    store.swap(second.id).await.unwrap();
    let reader = bench.session();
    reader.run(&format!(
        "BEGIN; SELECT * FROM lantern_g{}_orders",
        first.id
    ));
    let third = begin(store, &orders("3.0.0")).await;
    assert_eq!(store.swap(third.id).await.unwrap(), Swap::Done);
    let is_there = || {
        let name = format!("lantern_g{}_orders", first.id);
        let found = bench
            .session()
            .query(&format!("SELECT to_regclass('{name}') IS NOT NULL"));
        found == [[Some("t".to_owned())]]
    };
    store.sweep().await.unwrap();
    assert!(is_there());
    reader.run("COMMIT");
    store.sweep().await.unwrap();
    assert!(!is_there());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_commit_does_not_wait_for_readers() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &orders("1.0.0")).await;
    let reader = bench.session();
    reader.run("BEGIN; SELECT * FROM orders");
    open.store(&puts((0..6_000).map(|i| order(&format!("{i}"), i))), 1);
    let counted = reader.query("SELECT count(*) FROM orders");
    assert_eq!(counted, [[Some("6000".to_owned())]]);
}

//! Connections that break, servers that are away, records that are not ours.

use std::time::{Duration, Instant};

use super::bench::{PostgresBench, SCHEMA, open, options};
use crate::model::{Description, GenerationId};
use crate::postgres::{Database, DatabaseOptions};
use crate::read_store::behaviour::bench::*;
use crate::read_store::{Committed, PostgresReadStore, ReadStore, StoreError};

const KILL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name = 'lantern'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_connection_is_an_error_that_passes() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let description = orders("1.0.0");
    let mut open = begin(store, &description).await;
    open.store(&puts([order("a", 1)]), 1);
    let session = bench.session();
    for round in 2..6 {
        session.run(KILL_OTHERS);
        // As a worker does: whatever the outcome was, it claims anew and goes on
        // from what is stored.
        let mut failures = 0;
        open = loop {
            match open.commit(&puts([order("a", round as i64)]), round) {
                Ok(Committed::Stored) => break open,
                Ok(Committed::Fenced(reason)) => panic!("{reason}"),
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    failures += 1;
                }
            }
            open = claim_anew(store, open.id, &description).await;
            if open.claim.checkpoint == at(round) {
                break open;
            }
        };
        assert!(failures <= 3, "{failures}");
        assert_eq!(
            rows(store, "orders").await,
            values([order("a", round as i64)])
        );
    }
}

async fn claim_anew(store: &dyn ReadStore, id: GenerationId, description: &Description) -> Open {
    for _ in 0..10 {
        let claimed = store.claim(id, &owner("tests", "first")).await;
        if claimed.is_ok() {
            return reopen(store, id, description).await;
        }
    }
    panic!("the server lets nobody in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_failed_is_as_good_as_new() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let mut open = begin(store, &orders("1.0.0")).await;
    for round in 1..20 {
        // In the middle of a transaction, of a copy, of a statement.
        let bad = (0..if round % 2 == 0 { 1_500 } else { 3 }).map(|i| order(&format!("{i}\0"), i));
        let error = open.commit(&puts(bad), 99).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        if round > 10 {
            open.store(&puts([order("a", round)]), round as u64);
        }
    }
    // A connection is rolled back on its way to the pool, by nobody's leave.
    let session = bench.session();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let open = session.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'lantern' AND state LIKE 'idle in transaction%'",
        );
        if open == [[Some("0".to_owned())]] {
            break;
        }
        assert!(Instant::now() < deadline, "a transaction was left open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(rows(store, "orders").await, values([order("a", 19)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_a_newer_lantern_is_not_touched() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    bench.session().run(
        "INSERT INTO lantern_read_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', true, '', 0)",
    );
    let error = open(&bench.database, options()).await.err().unwrap();
    assert!(
        matches!(&error, StoreError::Unreadable(reason) if reason.contains("newer")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_may_come_back_and_a_wrong_one_does_not() {
    let opened = async |url: &str| {
        let database = Database::new(url, &DatabaseOptions::default()).unwrap();
        PostgresReadStore::open(database, options())
            .await
            .err()
            .unwrap()
    };
    // A port that nobody listens to: it was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let away = opened(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).await;
    assert!(away.is_transient(), "{away:?}");

    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let wrong = opened(&format!("{}_that_is_not_there", bench.database.url())).await;
    assert!(matches!(wrong, StoreError::Broken(_)), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_make_nothing_can_use_what_is_there() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    begin(&bench.store, &orders("1.0.0")).await;
    let role = format!("guest_{}", bench.database.name());
    bench.session().run(&format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; \
         GRANT USAGE ON SCHEMA {0} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {role}",
        super::bench::QUOTED
    ));
    let url = bench
        .database
        .url()
        .replacen("postgres@", &format!("{role}@"), 1);
    let database = Database::new(&url, &DatabaseOptions::default()).unwrap();
    let guest = PostgresReadStore::open(database.clone(), options())
        .await
        .unwrap();
    assert_eq!(guest.projectors().await.unwrap().len(), 1);
    let nowhere = crate::read_store::PostgresOptions {
        schema: format!("{SCHEMA} 2"),
        ..options()
    };
    let refused = PostgresReadStore::open(database, nowhere)
        .await
        .err()
        .unwrap();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused:?}");
}

//! Several hosts on one store.

use std::time::Duration;

use super::bench::{PostgresBench, open, options};
use crate::model::{Checkpoint, Digest, GenerationId, Timestamp};
use crate::postgres::Usage;
use crate::read_store::behaviour::bench::*;
use crate::read_store::{Claimed, Committed, HostRecord, PostgresOptions, ReadStore, StoreError};

const LEASE: Duration = Duration::from_millis(700);

fn short() -> PostgresOptions {
    PostgresOptions {
        lease: LEASE,
        ..options()
    }
}

fn beat(host: &str, instance: &str) -> HostRecord {
    HostRecord {
        host: host.into(),
        instance: instance.into(),
        pid: 7,
        started_at: Timestamp(1),
        heartbeat_at: Timestamp(2),
        activities: Vec::new(),
        refused: Vec::new(),
        head: Checkpoint::default(),
        held_back: None,
        connections: Vec::<Usage>::new(),
    }
}

/// Who holds a generation when `host` asks; none when it was free.
async fn ask(store: &dyn ReadStore, id: GenerationId, host: &str) -> Option<String> {
    match store.claim(id, &owner(host, "first")).await.unwrap() {
        Claimed::Taken(_) => None,
        Claimed::Held { by } => Some(by),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_ends_by_itself() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(short()).await;
    let mut dead = begin(&store, &orders("1.0.0")).await;
    assert_eq!(
        ask(&store, dead.id, "other").await.as_deref(),
        Some("tests")
    );
    tokio::time::sleep(LEASE + Duration::from_millis(100)).await;
    assert_eq!(ask(&store, dead.id, "other").await, None);
    let outcome = dead.commit(&puts([order("a", 1)]), 1).unwrap();
    assert!(matches!(outcome, Committed::Fenced(_)), "{outcome:?}");
    assert!(rows(&store, "orders").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_prolongs_the_leases_of_its_start_alone() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(short()).await;
    let open = begin(&store, &orders("1.0.0")).await;
    for _ in 0..3 {
        tokio::time::sleep(LEASE / 2).await;
        store.heartbeat(&beat("tests", "first")).await.unwrap();
    }
    // The lease of the claim itself is long over.
    assert_eq!(
        ask(&store, open.id, "other").await.as_deref(),
        Some("tests")
    );
    // A host that started anew does not hold what its former start held.
    store.heartbeat(&beat("tests", "second")).await.unwrap();
    assert_eq!(ask(&store, open.id, "other").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_does_not_wait_for_a_commit() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let open = begin(store, &orders("1.0.0")).await;
    // As a long commit does, and a claim that waits for it.
    let commit = bench.session();
    commit.run(&format!(
        "BEGIN; UPDATE lantern_progress SET checkpoint = '{{\"\": 5}}' WHERE generation = {}",
        open.id
    ));
    let host = beat("tests", "first");
    let beaten = tokio::time::timeout(Duration::from_secs(4), store.heartbeat(&host));
    beaten.await.expect("a heartbeat waits for nobody").unwrap();
    // A claim does wait, and sees what the commit has stored.
    let claim = async { claim(store, open.id, "tests").await };
    let (claim, ()) = tokio::join!(claim, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        tokio::task::block_in_place(|| commit.run("COMMIT"));
    });
    assert_eq!(claim.checkpoint, at(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_are_seen_to_live_and_die() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = bench.open(short()).await;
    let seen = async || {
        let hosts = store.hosts().await.unwrap();
        let shown = hosts.into_iter().map(|seen| (seen.record.host, seen.alive));
        shown.collect::<Vec<_>>()
    };
    store.heartbeat(&beat("a", "1")).await.unwrap();
    tokio::time::sleep(LEASE + Duration::from_millis(100)).await;
    store.heartbeat(&beat("b", "1")).await.unwrap();
    assert_eq!(seen().await, [("b".into(), true), ("a".into(), false)]);
    store.heartbeat(&beat("a", "2")).await.unwrap();
    assert_eq!(seen().await[0], ("a".into(), true));

    let session = bench.session();
    session.run("UPDATE lantern_hosts SET heard_at = heard_at - interval '25 hours'");
    // The latest stays until another is heard of.
    assert_eq!(seen().await.len(), 2);
    store.heartbeat(&beat("c", "1")).await.unwrap();
    assert_eq!(seen().await, [("c".into(), true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_components_are_forgotten_after_a_while() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let (needed, idle, young) = (&b"needed"[..], &b"idle"[..], &b"young"[..]);
    for bytes in [needed, idle, young] {
        store
            .keep_component(&Digest::of(bytes), bytes)
            .await
            .unwrap();
    }
    store
        .begin_generation(&orders("1.0.0"), &Digest::of(needed), None)
        .await
        .unwrap();
    let session = bench.session();
    session.run("UPDATE lantern_components SET kept_at = kept_at - interval '2 hours'");
    store
        .keep_component(&Digest::of(young), young)
        .await
        .unwrap();
    store.sweep().await.unwrap();
    for (bytes, stays) in [(needed, true), (idle, false), (young, true)] {
        let kept = store.component(&Digest::of(bytes)).await.unwrap();
        assert_eq!(kept.is_some(), stays, "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_start_at_once_agree_on_the_tables() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    for round in 0..3 {
        let fresh = || PostgresOptions {
            schema: format!("fresh {round}"),
            ..options()
        };
        let opening = (0..6).map(|_| open(&bench.database, fresh()));
        for opened in futures_util::future::join_all(opening).await {
            opened.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_in_one_database_do_not_see_each_other() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let other = bench
        .open(PostgresOptions {
            schema: "elsewhere".into(),
            ..options()
        })
        .await;
    let mut here = begin(&bench.store, &orders("1.0.0")).await;
    let mut there = begin(&other, &orders("1.0.0")).await;
    here.store(&puts([order("a", 1)]), 1);
    there.store(&puts([order("b", 2)]), 9);
    assert_eq!(rows(&bench.store, "orders").await, values([order("a", 1)]));
    assert_eq!(rows(&other, "orders").await, values([order("b", 2)]));
    other.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(rows(&bench.store, "orders").await, values([order("a", 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_hosts_that_decide_at_once_one_is_overtaken() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut newest = Some(begin(&bench.store, &orders("1.0.0")).await.id);
    let hosts = [bench.open(options()).await, bench.open(options()).await];
    for version in 2..12 {
        let description = orders(&format!("{version}.0.0"));
        let digest = Digest::of(description.version.to_string().as_bytes());
        let begin = |host: usize| hosts[host].begin_generation(&description, &digest, newest);
        let (one, other) = tokio::join!(begin(0), begin(1));
        let (won, lost) = match (one, other) {
            (Ok(id), Err(error)) | (Err(error), Ok(id)) => (id, error),
            both => panic!("{both:?}"),
        };
        assert!(matches!(lost, StoreError::Overtaken(_)), "{lost:?}");
        newest = Some(won);
    }
}

/// Two starts take the generation from each other all the time, while records
/// change beside them. Each writes, at every position, the row of that position.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commits_and_claims_never_mix() {
    const COMMITS: u64 = 150;
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let description = orders("1.0.0");
    let first = begin(&bench.store, &description).await;
    let mut workers = Vec::new();
    for instance in ["one", "two"] {
        let store = bench.open(options()).await;
        let (id, tables) = (first.id, description.tables.clone());
        workers.push(tokio::spawn(async move {
            let mut stored = 0;
            loop {
                let claimed = store.claim(id, &owner("tests", instance)).await.unwrap();
                let Claimed::Taken(claim) = claimed else {
                    panic!("{claimed:?}");
                };
                let mut writer = store.writer(&claim, &tables).unwrap();
                let mut from = claim.checkpoint;
                while from.position().0 < COMMITS {
                    let position = from.position().0 + 1;
                    let changes = puts([order(&format!("{position:04}"), position as i64)]);
                    let to = at(position);
                    match commit(&mut *writer, &changes, &from, &to).unwrap() {
                        Committed::Stored => stored += 1,
                        Committed::Fenced(_) => break,
                    }
                    from = to;
                }
                if from.position().0 >= COMMITS {
                    return stored;
                }
            }
        }));
    }
    let mut stored = 0;
    for worker in workers {
        stored += worker.await.unwrap();
        bench.store.build_indexes(first.id).await.unwrap();
    }
    assert_eq!(stored, COMMITS);
    let expected = (1..=COMMITS).map(|i| order(&format!("{i:04}"), i as i64));
    assert_eq!(rows(&bench.store, "orders").await, values(expected));
}

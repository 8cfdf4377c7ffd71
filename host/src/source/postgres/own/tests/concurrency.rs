//! Writers side by side, and a reader that follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hashbrown::{HashMap, HashSet};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::{JoinSet, spawn_blocking};

use super::{NoBook, PostgresBench, open};
use crate::model::{Checkpoint, EventFilter};
use crate::postgres::{Database, DatabaseOptions};
use crate::source::behaviour::*;
use crate::source::{
    EventReader, EventStore, ExpectedVersion, PostgresEventStore, PostgresOptions,
};

/// How long the writers of the long test write.
const WRITING: Duration = Duration::from_secs(5);

/// Appends one event with the SQL function.
fn append_sql(stream: &str, id: &str) -> String {
    format!(
        r#"SELECT lantern_events.lantern_append('{stream}', '{{"id": "{id}", "type": "new"}}')"#
    )
}

async fn connect(bench: &PostgresBench) -> PgConnection {
    PgConnection::connect(bench.database.url()).await.unwrap()
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Transactions of one to three events in streams that others write to as well, of
/// which a fifth is taken back; the ids of the others.
async fn write(mut conn: PgConnection, writer: u64, until: Instant) -> Vec<String> {
    let mut dice = Dice(writer + 1);
    let mut committed = Vec::new();
    for round in 0.. {
        if Instant::now() >= until {
            break;
        }
        let stream = format!("stream-{}", dice.roll(6));
        let ids: Vec<String> = (0..=dice.roll(3))
            .map(|i| format!("{writer}-{round}-{i}"))
            .collect();
        conn.execute("BEGIN").await.unwrap();
        for id in &ids {
            let append = sqlx::AssertSqlSafe(append_sql(&stream, id));
            conn.execute(append).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(15))).await;
        if dice.roll(5) == 0 {
            conn.execute("ROLLBACK").await.unwrap();
        } else {
            conn.execute("COMMIT").await.unwrap();
            committed.extend(ids);
        }
    }
    committed
}

/// Follows until told that there is nothing more; the ids, stream by stream.
fn follow(
    mut reader: Box<dyn EventReader>,
    is_over: &AtomicBool,
) -> HashMap<String, Vec<(u64, String)>> {
    let mut streams: HashMap<String, Vec<(u64, String)>> = HashMap::new();
    let mut checkpoint = Checkpoint::start();
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let page = reader.read(&checkpoint, PAGE).unwrap();
        let names = pieces(&page.events.streams, &page.events.stream_ends);
        let events = page.events.versions.iter().copied().zip(ids(&page.events));
        for (name, event) in names.into_iter().zip(events) {
            streams.entry(name).or_default().push(event);
        }
        checkpoint = page.checkpoint;
        if page.at_head && was_over {
            return streams;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_is_read_once_and_in_the_order_of_its_stream() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let until = Instant::now() + WRITING;
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        writers.spawn(write(connect(&bench).await, writer, until));
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = reader(&bench.store, &EventFilter::default());
    let stop = Arc::clone(&is_over);
    let following = spawn_blocking(move || follow(reader, &stop));
    let mut committed = HashSet::new();
    while let Some(written) = writers.join_next().await {
        committed.extend(written.unwrap());
    }
    is_over.store(true, Ordering::SeqCst);
    let streams = following.await.unwrap();
    let mut read = HashSet::new();
    for (stream, events) in streams {
        for (version, (found, id)) in (1..).zip(events) {
            assert_eq!(version, found, "{stream}");
            assert!(read.insert(id));
        }
    }
    assert!(committed.len() > 200, "only {}", committed.len());
    assert_eq!(read, committed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_several_streams_in_any_order_do_not_block_each_other_crosswise() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let handles = [bench.another().await, bench.another().await].map(Arc::from);
    let mut appenders = JoinSet::new();
    for appender in 0..8_usize {
        let store: Arc<dyn EventStore> = Arc::clone(&handles[appender % 2]);
        appenders.spawn(async move {
            for round in 0..30 {
                // New streams among old ones, in an order of each appender's own.
                let stream = |i: usize| match (i + appender) % 5 {
                    0 => format!("m-{round}"),
                    other => format!("{}", (b'a' + other as u8) as char),
                };
                let list = (0..5).map(|i| event(format!("{appender}-{round}-{i}"), &stream(i)));
                store.append(list.collect(), Vec::new()).await.unwrap();
            }
        });
    }
    while let Some(done) = appenders.join_next().await {
        done.unwrap();
    }
    let streams = bench.store.streams("", 100).await.unwrap();
    assert_eq!(streams.iter().map(|s| s.version).sum::<u64>(), 8 * 30 * 5);
    // Closed connections have told what they counted.
    drop(handles);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let counted = bench
        .database
        .query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    assert_eq!(counted[0][0].as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_stays_open_stops_nobody_but_its_stream() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut first = event("first", "a");
    first.source = "/sql".into();
    bench.store.append(vec![first], Vec::new()).await.unwrap();
    let held = bench.database.session();
    held.run("BEGIN");
    held.run(&append_sql("held", "early"));

    // With the new type, and the same source and tenant, that the other one brought.
    let impatient = bench.impatient().await;
    let mut late = event("late", "free");
    late.event_type = "new".into();
    impatient.append(vec![late], Vec::new()).await.unwrap();
    let refused = impatient.append(vec![event("x", "held")], Vec::new()).await;
    let error = refused.unwrap_err();
    assert!(error.is_transient(), "{error}");

    assert_eq!(read_all(&bench.store, &EventFilter::default()), ["first"]);
    held.run("COMMIT");
    let all = read_all(&bench.store, &EventFilter::default());
    assert_eq!(all, ["first", "early", "late"]);
    let new = EventFilter {
        types: patterns(&["new"]),
        ..EventFilter::default()
    };
    assert_eq!(read_all(&bench.store, &new), ["early", "late"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lookout_a_late_commit_would_be_missed() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let options = PostgresOptions {
        gaps_ignored: true,
        ..PostgresOptions::default()
    };
    let database = Database::new(bench.database.url(), &DatabaseOptions::default()).unwrap();
    let careless = PostgresEventStore::open(database, options, Arc::new(NoBook)).await;
    let careless = careless.unwrap();
    let held = bench.database.session();
    held.run("BEGIN");
    held.run(&append_sql("held", "early"));
    let appended = bench.store.append(vec![event("late", "free")], Vec::new());
    appended.await.unwrap();

    let mut reader = reader(&careless, &EventFilter::default());
    let page = read(&mut *reader, &Checkpoint::start());
    assert_eq!(ids(&page.events), ["late"]);
    held.run("COMMIT");
    let page = read(&mut *reader, &page.checkpoint);
    assert!(page.at_head && page.events.is_empty());
    let all = read_all(&bench.store, &EventFilter::default());
    assert_eq!(all, ["early", "late"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_append_from_several_sides_is_kept_once() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    for round in 0..20 {
        let stream = format!("s-{round}");
        let mut appends = JoinSet::new();
        for _ in 0..4 {
            let store = bench.another().await;
            let list: Vec<_> = (0..3)
                .map(|i| event(format!("{round}-{i}"), &stream))
                .collect();
            let expected = vec![ExpectedVersion {
                tenant: String::new(),
                stream: stream.clone(),
                version: 0,
            }];
            appends.spawn(async move { store.append(list, expected).await.unwrap() });
        }
        let mut appended = 0;
        while let Some(done) = appends.join_next().await {
            appended += done.unwrap().appended;
        }
        assert_eq!(appended, 3);
    }
    let streams = bench.store.streams("s-", 100).await.unwrap();
    assert!(streams.len() == 20 && streams.iter().all(|stream| stream.version == 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_start_together_share_one_new_schema() {
    let Some(postgres) = lantern_test_servers::Postgres::shared() else {
        return;
    };
    let database = Arc::new(postgres.database());
    let mut hosts = JoinSet::new();
    for host in 0..6 {
        let database = Arc::clone(&database);
        hosts.spawn(async move {
            let store = open(&database, PostgresOptions::default()).await;
            let appended = store.append(vec![event(host, "a")], Vec::new()).await;
            appended.unwrap();
        });
    }
    while let Some(done) = hosts.join_next().await {
        done.unwrap();
    }
    let store = open(&database, PostgresOptions::default()).await;
    assert_eq!(store.streams("", 1).await.unwrap()[0].version, 6);
}

//! The behaviour of every event store, on SQLite; and what only SQLite has.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;

use super::{SqliteEventStore, SqliteOptions};
use crate::model::{Checkpoint, EventFilter, Position, Timestamp};
use crate::source::behaviour::{
    Bench, PAGE, event, event_store_behaviour, events, read_all, reader,
};
use crate::source::{EventStore, Source};

event_store_behaviour!(SqliteBench::new);

/// A folder that goes away with the test, and a store in it.
struct SqliteBench {
    folder: TempDir,
    store: SqliteEventStore,
}

impl SqliteBench {
    async fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let store = open(file(&folder, "events.db")).await;
        Some(Self { folder, store })
    }
}

fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join("data").join(name)
}

async fn open(file: PathBuf) -> SqliteEventStore {
    let options = SqliteOptions::default();
    SqliteEventStore::open(&file, options).await.unwrap()
}

#[async_trait]
impl Bench for SqliteBench {
    fn store(&self) -> &dyn EventStore {
        &self.store
    }

    async fn another(&self) -> Box<dyn EventStore> {
        Box::new(open(file(&self.folder, "events.db")).await)
    }

    async fn elsewhere(&self) -> Box<dyn EventStore> {
        Box::new(open(file(&self.folder, "elsewhere.db")).await)
    }

    async fn impatient(&self) -> Box<dyn EventStore> {
        let options = SqliteOptions {
            busy_timeout: Duration::from_millis(30),
            ..SqliteOptions::default()
        };
        let file = file(&self.folder, "events.db");
        Box::new(SqliteEventStore::open(&file, options).await.unwrap())
    }
}

#[tokio::test]
async fn an_append_of_this_handle_is_news_at_once() {
    let bench = SqliteBench::new().await.unwrap();
    let news = bench.store.news();
    let appended = bench.store.append(events(0..3, "a"), Vec::new()).await;
    appended.unwrap();
    assert_eq!(*news.borrow(), Checkpoint::at(Position(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_start_together_share_one_new_file() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..6 {
        let folder = Arc::clone(&folder);
        hosts.spawn(async move {
            let store = open(file(&folder, "events.db")).await;
            let appended = store.append(vec![event(host, "a")], Vec::new()).await;
            appended.unwrap();
        });
    }
    while let Some(done) = hosts.join_next().await {
        done.unwrap();
    }
    let store = open(file(&folder, "events.db")).await;
    assert_eq!(store.streams("", 1).await.unwrap()[0].version, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_waits_for_the_import_of_the_same_handle() {
    let bench = SqliteBench::new().await.unwrap();
    let other = bench.impatient().await;
    let import = other.import().await.unwrap();
    let error = other.append(events(0..1, "a"), Vec::new()).await;
    let error = error.unwrap_err();
    assert!(error.is_transient(), "{error}");
    drop(import);
    other.append(events(0..1, "a"), Vec::new()).await.unwrap();
    assert_eq!(read_all(&*other, &EventFilter::default()), ["0"]);
}

#[tokio::test]
async fn a_person_can_read_the_log() {
    let bench = SqliteBench::new().await.unwrap();
    let mut early = event(1, "a");
    early.time = Timestamp(-1);
    bench.store.append(vec![early], Vec::new()).await.unwrap();
    let conn = rusqlite::Connection::open(file(&bench.folder, "events.db")).unwrap();
    let seen: (i64, String, String, String, String) = conn
        .query_row(
            "SELECT position, type, source, time, data FROM lantern_event_log",
            [],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )
        .unwrap();
    let expected = (
        1,
        "order.placed",
        "/tests",
        "1969-12-31T23:59:59.999999Z",
        r#"{"id":"1"}"#,
    );
    assert_eq!((seen.0, &*seen.1, &*seen.2, &*seen.3, &*seen.4), expected);
}

#[tokio::test]
async fn damaged_text_is_an_error_that_names_the_event() {
    let bench = SqliteBench::new().await.unwrap();
    let appended = bench.store.append(events(0..2, "a"), Vec::new()).await;
    appended.unwrap();
    let conn = rusqlite::Connection::open(file(&bench.folder, "events.db")).unwrap();
    conn.execute(
        "UPDATE lantern_events SET data = CAST(x'41ff' AS TEXT) WHERE position = 2",
        [],
    )
    .unwrap();
    let error = reader(&bench.store, &EventFilter::default())
        .read(&Checkpoint::start(), PAGE)
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("data of the event at position 2 is damaged"),
        "{cause}"
    );
}

//! What an append keeps, refuses and promises.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::Position;
use crate::source::{Appended, EventStore, ExpectedVersion, SourceError};

fn expect(stream: &str, version: u64) -> Vec<ExpectedVersion> {
    vec![ExpectedVersion {
        tenant: String::new(),
        stream: stream.into(),
        version,
    }]
}

fn appended(appended: u64, duplicates: u64, last: u64) -> Appended {
    Appended {
        appended,
        duplicates,
        last_position: Some(Position(last)),
    }
}

#[tokio::test]
async fn several_streams_in_one_append_have_their_own_versions() {
    let (_folder, store) = new_store().await;
    let mut mixed = [event(1, "a"), event(2, "b"), event(3, "a"), event(4, "a")];
    mixed[3].tenant = "acme".into();
    assert_eq!(
        store.append(mixed.into(), Vec::new()).await.unwrap(),
        appended(4, 0, 4)
    );
    store.append(vec![event(5, "b")], Vec::new()).await.unwrap();

    let batch = reader(&store, &EventFilter::default())
        .read(&Checkpoint::start(), PAGE)
        .unwrap()
        .events;
    assert_eq!(batch.positions, [1, 2, 3, 4, 5]);
    assert_eq!(batch.versions, [1, 1, 2, 1, 2]);
    let streams = store.streams("", 10).await.unwrap();
    let shown: Vec<_> = streams
        .iter()
        .map(|s| (s.stream.as_str(), s.tenant.as_str(), s.version))
        .collect();
    assert_eq!(shown, [("a", "", 2), ("a", "acme", 1), ("b", "", 2)]);
}

#[tokio::test]
async fn an_unexpected_version_appends_nothing() {
    let (_folder, store) = new_store().await;
    store
        .append(events(0..2, "a"), expect("a", 0))
        .await
        .unwrap();
    let error = store
        .append(events(2..4, "a"), expect("a", 1))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            SourceError::WrongVersion {
                expected: 1,
                actual: 2,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(store.head().await.unwrap(), Checkpoint::at(Position(2)));
    // A new name that the refused append brought must not be taken for known.
    let mut other = event(9, "b");
    other.event_type = "order.new".into();
    store
        .append(vec![other.clone()], expect("b", 7))
        .await
        .unwrap_err();
    store.append(vec![other], expect("b", 0)).await.unwrap();
    assert_eq!(read_all(&store, &EventFilter::default()), ["0", "1", "9"]);
}

#[tokio::test]
async fn a_known_event_is_not_appended_again() {
    let (_folder, store) = new_store().await;
    let twice = vec![event(1, "a"), event(2, "a"), event(1, "a")];
    assert_eq!(
        store.append(twice, expect("a", 0)).await.unwrap(),
        appended(2, 1, 2)
    );
    // The second try of an append whose answer was lost expects what is no more.
    assert_eq!(
        store
            .append(events(1..3, "a"), expect("a", 0))
            .await
            .unwrap(),
        appended(0, 2, 2)
    );
    // The same id from elsewhere is another event, and no position was wasted.
    let mut foreign = event(1, "a");
    foreign.source = "/elsewhere".into();
    let known_elsewhere = event(2, "new-stream");
    let done = store
        .append(vec![foreign, known_elsewhere], Vec::new())
        .await
        .unwrap();
    assert_eq!(done, appended(1, 1, 3));
    assert_eq!(store.streams("", 10).await.unwrap().len(), 1);
    assert_eq!(
        store.append(Vec::new(), Vec::new()).await.unwrap(),
        Appended::default()
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_kept_is_named_and_nothing_is_appended() {
    let (_folder, store) = new_store().await;
    type Spoil = fn(&mut Event);
    let spoilt: [(Spoil, &str); 6] = [
        (|e| e.id.clear(), "its id is empty"),
        (|e| e.source.clear(), "its source is empty"),
        (|e| e.event_type.push('\0'), "its type contains a NUL"),
        (
            |e| e.stream = "x".repeat(1_025),
            "its stream has 1025 bytes",
        ),
        (|e| e.tenant = "x".repeat(257), "its tenant has 257 bytes"),
        (|e| e.stream.clear(), "its stream is empty"),
    ];
    for (spoil, part) in spoilt {
        let mut bad = event("bad", "a");
        spoil(&mut bad);
        let error = store
            .append(vec![event("good", "a"), bad], Vec::new())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appenders_of_two_handles_lose_and_skip_nothing() {
    let (folder, first) = new_store().await;
    let handles = [Arc::new(first), Arc::new(open(&folder).await)];
    let mut appenders = tokio::task::JoinSet::new();
    for appender in 0..8 {
        let store = Arc::clone(&handles[appender % 2]);
        appenders.spawn(async move {
            for round in 0..25 {
                let id = |i| event(format!("{appender}-{round}-{i}"), &format!("s{i}"));
                store
                    .append((0..4).map(id).collect(), Vec::new())
                    .await
                    .unwrap();
            }
        });
    }
    // Read along: positions must come without a gap, however commits fall.
    let mut along = reader(&handles[0], &EventFilter::default());
    let read_along = tokio::task::spawn_blocking(move || {
        let (mut checkpoint, mut positions) = (Checkpoint::start(), Vec::new());
        while positions.len() < 800 {
            let page = along.read(&checkpoint, PAGE).unwrap();
            positions.extend(page.events.positions);
            checkpoint = page.checkpoint;
        }
        positions
    });
    while let Some(done) = appenders.join_next().await {
        done.unwrap();
    }
    let positions = read_along.await.unwrap();
    assert!(positions.into_iter().eq(1..=800));
    let streams = handles[1].streams("s", 10).await.unwrap();
    assert!(streams.len() == 4 && streams.iter().all(|stream| stream.version == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_start_together_share_one_new_file() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..6 {
        let folder = Arc::clone(&folder);
        hosts.spawn(async move {
            let store = open(&folder).await;
            store
                .append(vec![event(host, "a")], Vec::new())
                .await
                .unwrap();
        });
    }
    while let Some(done) = hosts.join_next().await {
        done.unwrap();
    }
    assert_eq!(
        open(&folder).await.streams("", 1).await.unwrap()[0].version,
        6
    );
}

#[tokio::test]
async fn a_store_that_stays_busy_says_that_it_may_be_tried_again() {
    let (folder, store) = new_store().await;
    let path = folder.path().join("data/events.db");
    let impatient = SqliteOptions {
        busy_timeout: Duration::from_millis(30),
        ..SqliteOptions::default()
    };
    let import = store.import().await.unwrap();
    // A host that starts, and one that appends, while another one imports.
    let other = SqliteEventStore::open(&path, impatient).await.unwrap();
    let error = other
        .append(vec![event(1, "a")], Vec::new())
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    drop(import);
    let import = other.import().await.unwrap();
    let error = other
        .append(vec![event(1, "a")], Vec::new())
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    drop(import);
    other.append(vec![event(1, "a")], Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_person_can_read_the_log() {
    let (folder, store) = new_store().await;
    let mut early = event(1, "a");
    early.time = Timestamp(-1);
    store.append(vec![early], Vec::new()).await.unwrap();
    let conn = rusqlite::Connection::open(folder.path().join("data/events.db")).unwrap();
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

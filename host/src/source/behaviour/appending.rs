//! What an append keeps, refuses and promises.

use std::sync::Arc;

use super::bench::*;
use crate::model::{Checkpoint, Event, EventFilter, Position};
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

async fn shown(store: &dyn EventStore, prefix: &str) -> Vec<(String, String, u64)> {
    let streams = store.streams(prefix, 10).await.unwrap();
    let shown = streams.into_iter().map(|s| (s.stream, s.tenant, s.version));
    shown.collect()
}

fn owned(list: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    let own = |(stream, tenant, version): &(&str, &str, u64)| {
        ((*stream).to_owned(), (*tenant).to_owned(), *version)
    };
    list.iter().map(own).collect()
}

pub(in crate::source) async fn several_streams_in_one_append_have_their_own_versions(
    bench: &impl Bench,
) {
    let store = bench.store();
    let mut mixed = [event(1, "a"), event(2, "b"), event(3, "a"), event(4, "a")];
    mixed[3].tenant = "acme".into();
    assert_eq!(
        store.append(mixed.into(), Vec::new()).await.unwrap(),
        appended(4, 0, 4)
    );
    store.append(vec![event(5, "b")], Vec::new()).await.unwrap();

    let mut reader = reader(store, &EventFilter::default());
    let batch = read(&mut *reader, &Checkpoint::start()).events;
    assert_eq!(batch.positions, [1, 2, 3, 4, 5]);
    assert_eq!(batch.versions, [1, 1, 2, 1, 2]);
    assert_eq!(
        shown(store, "").await,
        owned(&[("a", "", 2), ("a", "acme", 1), ("b", "", 2)])
    );
}

pub(in crate::source) async fn an_unexpected_version_appends_nothing(bench: &impl Bench) {
    let store = bench.store();
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
            &error,
            SourceError::WrongVersion { stream, expected: 1, actual: 2 } if stream == "a"
        ),
        "{error}"
    );
    assert_eq!(store.head().await.unwrap(), at(2));
    // A new name that the refused append brought must not be taken for known.
    let mut other = event(9, "b");
    other.event_type = "order.new".into();
    store
        .append(vec![other.clone()], expect("b", 7))
        .await
        .unwrap_err();
    assert_eq!(shown(store, "b").await, []);
    store.append(vec![other], expect("b", 0)).await.unwrap();
    assert_eq!(read_all(store, &EventFilter::default()), ["0", "1", "9"]);
}

pub(in crate::source) async fn a_stream_may_be_expected_without_being_appended_to(
    bench: &impl Bench,
) {
    let store = bench.store();
    let both = |a, b| [expect("a", a), expect("b", b)].concat();
    store.append(vec![event(1, "a")], both(0, 0)).await.unwrap();
    assert_eq!(shown(store, "").await, owned(&[("a", "", 1)]));
    store.append(vec![event(2, "b")], both(1, 0)).await.unwrap();
    for (events, expected) in [(vec![event(3, "c")], both(1, 0)), (vec![], both(0, 1))] {
        let error = store.append(events, expected).await.unwrap_err();
        assert!(matches!(error, SourceError::WrongVersion { .. }), "{error}");
    }
    store.append(Vec::new(), both(1, 1)).await.unwrap();
    // Names that no stream can have.
    for name in ["", "a\0", &"x".repeat(2_000)] {
        let error = store.append(Vec::new(), expect(name, 1)).await.unwrap_err();
        assert!(
            matches!(error, SourceError::WrongVersion { actual: 0, .. }),
            "{error}"
        );
        store.append(Vec::new(), expect(name, 0)).await.unwrap();
    }
    assert_eq!(shown(store, "").await, owned(&[("a", "", 1), ("b", "", 1)]));
}

pub(in crate::source) async fn a_known_event_is_not_appended_again(bench: &impl Bench) {
    let store = bench.store();
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

pub(in crate::source) async fn an_event_that_cannot_be_kept_is_named_and_nothing_is_appended(
    bench: &impl Bench,
) {
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
    let store = bench.store();
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

pub(in crate::source) async fn concurrent_appenders_of_two_handles_lose_and_skip_nothing(
    bench: &impl Bench,
) {
    let handles = [
        Arc::from(bench.another().await),
        Arc::from(bench.another().await),
    ];
    let mut appenders = tokio::task::JoinSet::new();
    for appender in 0..8 {
        let store: Arc<dyn EventStore> = Arc::clone(&handles[appender % 2]);
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
    let mut along = reader(&*handles[0], &EventFilter::default());
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

pub(in crate::source) async fn a_store_that_stays_busy_says_that_it_may_be_tried_again(
    bench: &impl Bench,
) {
    let import = bench.store().import().await.unwrap();
    // A host that starts, and one that appends, while another one imports.
    let other = bench.impatient().await;
    for _ in 0..2 {
        let error = other
            .append(vec![event(1, "a")], Vec::new())
            .await
            .unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    let error = other.import().await.err().unwrap();
    assert!(error.is_transient(), "{error}");
    drop(import);
    // Not the impatient one: a server may take a moment to notice.
    bench
        .store()
        .append(vec![event(1, "a")], Vec::new())
        .await
        .unwrap();
    other.append(vec![event(2, "a")], Vec::new()).await.unwrap();
}

pub(in crate::source) async fn streams_are_listed_by_their_beginning(bench: &impl Bench) {
    let store = bench.store();
    let names = [
        "order-10", "order-2", "order", "Order-1", "ordeß", "other", "order%",
    ];
    let list = names.iter().enumerate().map(|(i, name)| event(i, name));
    store.append(list.collect(), Vec::new()).await.unwrap();
    let listed = async |prefix, limit| {
        let streams = store.streams(prefix, limit).await.unwrap();
        let names = streams.into_iter().map(|stream| stream.stream);
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        listed("order", 10).await,
        ["order", "order%", "order-10", "order-2"]
    );
    assert_eq!(listed("order-", 1).await, ["order-10"]);
    assert_eq!(listed("ordeß", 10).await, ["ordeß"]);
    assert_eq!(listed("", 2).await, ["Order-1", "order"]);
    assert!(listed("order\0", 10).await.is_empty());
}

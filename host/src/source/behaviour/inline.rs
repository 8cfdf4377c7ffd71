//! What runs within appends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::block_in_place;
use tokio::time::sleep;

use super::bench::*;
use crate::model::{Checkpoint, EventFilter};
use crate::source::{EventStore, ExpectedVersion, InlineWork, MOST_HELD, OpenAppend, SourceError};

/// Reads all there is in each append, and refuses when it is told to.
#[derive(Default)]
pub(in crate::source) struct Follower {
    refuses: AtomicBool,
    seen: Mutex<Vec<(Vec<String>, Vec<String>)>>,
    ended: Mutex<Vec<bool>>,
}

impl Follower {
    /// The projectors that ran last, and the ids of the events that they saw.
    pub(in crate::source) fn last(&self) -> (Vec<String>, Vec<String>) {
        let seen = self.seen.lock().unwrap();
        seen.last().cloned().unwrap_or_default()
    }

    fn ended(&self) -> Vec<bool> {
        self.ended.lock().unwrap().clone()
    }
}

impl InlineWork for Follower {
    fn run(&self, append: &dyn OpenAppend, projectors: &[String]) -> Result<(), SourceError> {
        let mut reader = append.reader(&EventFilter::default(), ALL)?;
        let page = reader.read(&Checkpoint::start(), PAGE)?;
        assert!(page.at_head);
        let seen = (projectors.to_vec(), ids(&page.events));
        self.seen.lock().unwrap().push(seen);
        match self.refuses.load(Ordering::Relaxed) {
            true => Err(SourceError::Inline("it cannot follow".into())),
            false => Ok(()),
        }
    }

    fn ended(&self, committed: bool) {
        self.ended.lock().unwrap().push(committed);
    }
}

pub(in crate::source) fn with_follower(store: &dyn EventStore) -> Arc<Follower> {
    let follower = Arc::new(Follower::default());
    store.run_inline_by(follower.clone());
    follower
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

pub(in crate::source) async fn inline_work_sees_each_append_before_its_end(bench: &impl Bench) {
    let store = bench.store();
    let follower = with_follower(store);
    store.append(events(1..3, "a"), Vec::new()).await.unwrap();
    assert!(follower.ended().is_empty(), "nobody is on the list");

    store.begin_inline("p").await.unwrap();
    assert_eq!(follower.last(), (strings(&["p"]), strings(&["1", "2"])));
    let expected = ExpectedVersion {
        tenant: String::new(),
        stream: "a".into(),
        version: 2,
    };
    let done = store.append(events(3..5, "a"), vec![expected.clone()]);
    assert_eq!(done.await.unwrap().appended, 2);
    assert_eq!(follower.last().1, strings(&["1", "2", "3", "4"]));
    let wrong = store.append(events(5..6, "a"), vec![expected]).await;
    assert!(matches!(wrong, Err(SourceError::WrongVersion { .. })));

    // Another one, and by an import.
    store.begin_inline("o").await.unwrap();
    assert_eq!(store.inline().await.unwrap(), ["o", "p"]);
    let mut import = store.import().await.unwrap();
    let last = block_in_place(|| {
        import.push(events(5..7, "b")).unwrap();
        import.finish().unwrap().last_position
    });
    assert_eq!(follower.last().0, strings(&["o", "p"]));
    assert_eq!(follower.last().1.len(), 6);
    assert!(follower.ended().iter().all(|&committed| committed));

    let runs = follower.ended().len();
    for name in ["o", "p", "p"] {
        store.end_inline(name).await.unwrap();
    }
    store.append(events(7..8, "b"), Vec::new()).await.unwrap();
    assert_eq!(follower.ended().len(), runs, "all are struck off");
    assert!(
        last < store
            .append(events(8..9, "b"), Vec::new())
            .await
            .unwrap()
            .last_position
    );
}

pub(in crate::source) async fn whoever_cannot_follow_takes_the_append_back(bench: &impl Bench) {
    let store = bench.store();
    let follower = with_follower(store);
    store.append(events(1..3, "a"), Vec::new()).await.unwrap();
    follower.refuses.store(true, Ordering::Relaxed);
    let refused = store.begin_inline("p").await;
    assert!(
        matches!(refused, Err(SourceError::Inline(_))),
        "{refused:?}"
    );
    assert!(store.inline().await.unwrap().is_empty());

    follower.refuses.store(false, Ordering::Relaxed);
    store.begin_inline("p").await.unwrap();
    follower.refuses.store(true, Ordering::Relaxed);
    let refused = store.append(events(3..5, "a"), Vec::new()).await;
    assert!(
        matches!(refused, Err(SourceError::Inline(_))),
        "{refused:?}"
    );
    let import = store.import().await.unwrap();
    let refused = block_in_place(|| {
        let mut import = import;
        import.push(events(3..5, "a")).unwrap();
        import.finish()
    });
    assert!(
        matches!(refused, Err(SourceError::Inline(_))),
        "{refused:?}"
    );
    assert_eq!(follower.ended(), [false, true, false, false]);
    assert_eq!(read_all(store, &EventFilter::default()), ["1", "2"]);

    follower.refuses.store(false, Ordering::Relaxed);
    store.append(events(3..5, "a"), Vec::new()).await.unwrap();
    let streams = store.streams("", 10).await.unwrap();
    assert_eq!((streams.len(), streams[0].version), (1, 4));
}

pub(in crate::source) async fn nobody_appends_without_the_inline_work(bench: &impl Bench) {
    let store = bench.store();
    with_follower(store);
    let without = bench.another().await;
    without.append(events(1..3, "a"), Vec::new()).await.unwrap();
    store.begin_inline("p").await.unwrap();
    let refused = without.append(events(3..5, "a"), Vec::new()).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("the inline projectors p"), "{error}");
    let imported = match without.import().await {
        Ok(mut import) => block_in_place(|| {
            import.push(events(3..5, "a"))?;
            import.finish()
        }),
        Err(error) => Err(error),
    };
    assert!(
        matches!(imported, Err(SourceError::NotInline(_))),
        "{imported:?}"
    );
    assert_eq!(read_all(store, &EventFilter::default()), ["1", "2"]);
    store.end_inline("p").await.unwrap();
    without.append(events(3..5, "a"), Vec::new()).await.unwrap();
}

pub(in crate::source) async fn appends_in_flight_are_followed_before_the_list_changes(
    bench: &impl Bench,
) {
    let store = bench.store();
    let follower = with_follower(store);
    let writer: Arc<dyn EventStore> = bench.another().await.into();
    with_follower(&*writer);
    let writing = tokio::spawn(async move {
        for id in 0..200 {
            writer
                .append(vec![event(id, "a")], Vec::new())
                .await
                .unwrap();
        }
    });
    while read_all(store, &EventFilter::default()).len() < 50 {
        tokio::task::yield_now().await;
    }
    store.begin_inline("p").await.unwrap();
    let seen = follower.last().1.len();
    writing.await.unwrap();
    // What was committed when the list changed, and nothing later, was seen here.
    let all = read_all(store, &EventFilter::default());
    assert_eq!(all.len(), 200);
    assert!((50..=200).contains(&seen));
    assert_eq!(follower.last().1, all[..seen]);
}

pub(in crate::source) async fn appends_wait_while_they_are_held_and_no_longer(bench: &impl Bench) {
    let store = bench.store();
    let follower = with_follower(store);
    assert!(store.hold_inline("p").await.unwrap().is_none());
    store.begin_inline("p").await.unwrap();
    assert!(store.hold_inline("other").await.unwrap().is_none());

    let begun = Instant::now();
    let held = store.hold_inline("p").await.unwrap();
    assert!(held.is_some());
    let append = async {
        let done = store.append(events(1..2, "a"), Vec::new()).await;
        done.map(|_| begun.elapsed())
    };
    let wait = async {
        sleep(MOST_HELD / 4).await;
        let is_sure = begun.elapsed() < MOST_HELD;
        let seen = follower.last().1;
        assert!(seen.is_empty() || !is_sure, "an append went past: {seen:?}");
        drop(held);
    };
    let (appended, ()) = tokio::join!(append, wait);
    assert!(appended.unwrap() >= MOST_HELD / 4);
    // Whoever dies, or forgets, holds nobody for long.
    let forgotten = store.hold_inline("p").await.unwrap();
    assert!(forgotten.is_some());
    store.append(events(2..3, "a"), Vec::new()).await.unwrap();
    assert_eq!(follower.last().1, strings(&["1", "2"]));
}

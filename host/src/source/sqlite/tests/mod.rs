//! The event store as its callers see it.

mod appending;
mod importing;
mod listening;
mod reading;

use tempfile::TempDir;

use super::{SqliteEventStore, SqliteOptions};
use crate::model::{
    Checkpoint, Envelope, Event, EventBatch, EventFilter, Pattern, Payload, Timestamp,
};
use crate::source::{EventReader, PageLimit, Source};

const ALL: Envelope = Envelope {
    ids: true,
    streams: true,
    metadata: true,
};

const PAGE: PageLimit = PageLimit {
    events: 1_000,
    bytes: 1 << 20,
};

/// A folder that goes away with the test, and a store in it.
async fn new_store() -> (TempDir, SqliteEventStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    (folder, store)
}

/// One more handle on the store of a folder.
async fn open(folder: &TempDir) -> SqliteEventStore {
    let path = folder.path().join("data/events.db");
    SqliteEventStore::open(&path, SqliteOptions::default())
        .await
        .unwrap()
}

fn event(id: impl ToString, stream: &str) -> Event {
    Event {
        id: id.to_string(),
        source: "/tests".into(),
        event_type: "order.placed".into(),
        stream: stream.into(),
        tenant: String::new(),
        time: Timestamp(1_000_000),
        data: Payload::Text(format!(r#"{{"id":"{}"}}"#, id.to_string())),
        metadata: Some(r#"{"source":"/tests"}"#.into()),
    }
}

fn events(ids: std::ops::Range<u32>, stream: &str) -> Vec<Event> {
    ids.map(|id| event(id, stream)).collect()
}

fn patterns(list: &[&str]) -> Vec<Pattern> {
    list.iter().map(|text| Pattern((*text).into())).collect()
}

fn reader(store: &SqliteEventStore, filter: &EventFilter) -> Box<dyn EventReader> {
    store.reader(filter, ALL).unwrap()
}

/// Everything in the store that passes a filter.
fn read_all(store: &SqliteEventStore, filter: &EventFilter) -> Vec<String> {
    let mut reader = reader(store, filter);
    let mut checkpoint = Checkpoint::start();
    let mut all = Vec::new();
    loop {
        let page = reader.read(&checkpoint, PAGE).unwrap();
        all.extend(ids(&page.events));
        checkpoint = page.checkpoint;
        if page.at_head {
            return all;
        }
    }
}

fn ids(batch: &EventBatch) -> Vec<String> {
    pieces(&batch.ids, &batch.id_ends)
}

fn pieces(texts: &str, ends: &[u32]) -> Vec<String> {
    let starts = [0].iter().chain(ends);
    let spans = starts
        .zip(ends)
        .map(|(start, end)| *start as usize..*end as usize);
    spans.map(|span| texts[span].to_owned()).collect()
}

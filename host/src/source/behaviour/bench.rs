//! What the cases build their situations from.

use std::time::Duration;

use async_trait::async_trait;
use tokio::task::block_in_place;

use crate::model::{
    Checkpoint, Envelope, Event, EventBatch, EventFilter, Pattern, Payload, Position, Timestamp,
};
use crate::source::{EventReader, EventStore, Page, PageLimit};

pub(in crate::source) const ALL: Envelope = Envelope {
    ids: true,
    streams: true,
    metadata: true,
};

pub(in crate::source) const PAGE: PageLimit = PageLimit {
    events: 1_000,
    bytes: 1 << 20,
};

/// Far more than news ever take, so that a slow machine does not fail the test.
pub(in crate::source) const PATIENCE: Duration = Duration::from_secs(20);

/// A database of its own for one case.
#[async_trait]
pub(in crate::source) trait Bench: Sync {
    /// The store.
    fn store(&self) -> &dyn EventStore;

    /// Another handle on the same log, as another process would have.
    async fn another(&self) -> Box<dyn EventStore>;

    /// An empty store that has nothing to do with it.
    async fn elsewhere(&self) -> Box<dyn EventStore>;

    /// One more handle, which gives up after a few milliseconds.
    async fn impatient(&self) -> Box<dyn EventStore>;
}

pub(in crate::source) fn event(id: impl ToString, stream: &str) -> Event {
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

pub(in crate::source) fn events(ids: std::ops::Range<u32>, stream: &str) -> Vec<Event> {
    ids.map(|id| event(id, stream)).collect()
}

pub(in crate::source) fn patterns(list: &[&str]) -> Vec<Pattern> {
    list.iter().map(|text| Pattern((*text).into())).collect()
}

pub(in crate::source) fn at(position: u64) -> Checkpoint {
    Checkpoint::at(Position(position))
}

pub(in crate::source) fn reader(
    store: &dyn EventStore,
    filter: &EventFilter,
) -> Box<dyn EventReader> {
    store.reader(filter, ALL).unwrap()
}

/// Reads a page where blocking is not allowed otherwise.
pub(in crate::source) fn read(reader: &mut dyn EventReader, after: &Checkpoint) -> Page {
    block_in_place(|| reader.read(after, PAGE)).unwrap()
}

/// Everything in the store that passes a filter.
pub(in crate::source) fn read_all(store: &dyn EventStore, filter: &EventFilter) -> Vec<String> {
    let mut reader = reader(store, filter);
    let mut checkpoint = Checkpoint::start();
    let mut all = Vec::new();
    loop {
        let page = read(&mut *reader, &checkpoint);
        all.extend(ids(&page.events));
        checkpoint = page.checkpoint;
        if page.at_head {
            return all;
        }
    }
}

pub(in crate::source) fn ids(batch: &EventBatch) -> Vec<String> {
    pieces(&batch.ids, &batch.id_ends)
}

pub(in crate::source) fn pieces(texts: &str, ends: &[u32]) -> Vec<String> {
    let starts = [0].iter().chain(ends);
    let spans = starts
        .zip(ends)
        .map(|(start, end)| *start as usize..*end as usize);
    spans.map(|span| texts[span].to_owned()).collect()
}

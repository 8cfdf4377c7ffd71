//! Tables of known tools, and one's own, on a real server.

mod contention;
mod flight;
mod mapping;
mod presets;
mod reading;
mod refusals;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lantern_test_servers::{Postgres, TestDatabase};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::runtime::Runtime;

use super::survey::Survey;
use super::{TableMapping, TableSource};
use crate::model::{Checkpoint, Envelope, EventBatch, EventFilter, PassedGap, Pattern};
use crate::postgres::{Database, DatabaseOptions};
use crate::source::{EventReader, GapBook, PageLimit, Source, SourceError};

const ALL: Envelope = Envelope {
    ids: true,
    streams: true,
    metadata: true,
};

const PAGE: PageLimit = PageLimit {
    events: 1_000,
    bytes: 1 << 20,
};

/// The gaps that were passed.
#[derive(Default)]
struct Passed(Mutex<Vec<PassedGap>>);

#[async_trait]
impl GapBook for Passed {
    async fn write_down(&self, gap: &PassedGap) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.lock().unwrap().push(gap.clone());
        Ok(())
    }
}

/// A database, and what is opened on it.
struct Bench {
    runtime: Runtime,
    database: TestDatabase,
    passed: Arc<Passed>,
}

impl Bench {
    /// `None` when there is no PostgreSQL here.
    fn new(schema: &str) -> Option<Self> {
        let database = Postgres::shared()?.database();
        if !schema.is_empty() {
            database.run(schema);
        }
        Some(Self {
            runtime: Runtime::new().unwrap(),
            database,
            passed: Arc::default(),
        })
    }

    fn open(&self, mapping: TableMapping) -> Result<TableSource, SourceError> {
        self.open_as(self.database.url(), mapping)
    }

    fn open_as(&self, url: &str, mapping: TableMapping) -> Result<TableSource, SourceError> {
        let _inside = self.runtime.enter();
        let database = Database::new(url, &DatabaseOptions::default()).unwrap();
        let book: Arc<dyn GapBook> = self.passed.clone();
        self.runtime
            .block_on(TableSource::open(database, mapping, book))
    }

    /// What the opening finds out.
    fn survey(&self, mapping: &TableMapping) -> Result<Survey, SourceError> {
        self.runtime.block_on(async {
            let mut conn = PgConnection::connect(self.database.url()).await.unwrap();
            Survey::take(&mut conn, mapping).await
        })
    }

    fn refused(&self, mapping: TableMapping) -> String {
        match self.open(mapping) {
            Err(SourceError::Unfit(text)) => text,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it was accepted"),
        }
    }

    /// Appends in one transaction.
    fn append(&self, template: &str, stream: &str, before: u64, events: &[Written]) {
        let sql = filled(template, stream, before, events);
        self.database.run(&format!("BEGIN; {sql} COMMIT;"));
    }
}

/// An event on its way into somebody's table.
#[derive(Clone)]
struct Written {
    id: String,
    event_type: String,
    data: String,
}

fn written(id: u128, event_type: &str) -> Written {
    Written {
        id: uuid::Uuid::from_u128(id).to_string(),
        event_type: event_type.into(),
        data: format!(r#"{{"n": {id}, "é": "it's"}}"#),
    }
}

/// An append template with its parameters written in (see
/// `tests/event_tables/README.md`).
fn filled(template: &str, stream: &str, before: u64, events: &[Written]) -> String {
    let list = |part: fn(&Written) -> &str| {
        let texts: Vec<String> = events.iter().map(|event| quoted(part(event))).collect();
        format!("ARRAY[{}]", texts.join(", "))
    };
    template
        .replace("$5", &list(|event| &event.data))
        .replace("$4", &list(|event| &event.event_type))
        .replace("$3", &list(|event| &event.id))
        .replace("$2", &before.to_string())
        .replace("$1", &quoted(stream))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn stream(number: u128) -> String {
    uuid::Uuid::from_u128(0xaaaa_0000 + number).to_string()
}

fn patterns(list: &[&str]) -> Vec<Pattern> {
    list.iter().map(|text| Pattern((*text).into())).collect()
}

fn types(list: &[&str]) -> EventFilter {
    EventFilter {
        types: patterns(list),
        ..EventFilter::default()
    }
}

/// One page from a checkpoint on.
fn page(source: &TableSource, filter: &EventFilter, after: &Checkpoint) -> EventBatch {
    let mut reader = source.reader(filter, ALL).unwrap();
    reader.read(after, PAGE).unwrap().events
}

/// Everything that may be read now.
fn read_on(
    reader: &mut dyn EventReader,
    checkpoint: &mut Checkpoint,
    limit: PageLimit,
) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = reader.read(checkpoint, limit).unwrap();
        all.extend(pieces(&page.events.ids, &page.events.id_ends));
        *checkpoint = page.checkpoint;
        if page.at_head {
            return all;
        }
    }
}

/// The ids of everything that passes a filter.
fn read_all(source: &TableSource, filter: &EventFilter) -> Vec<String> {
    let mut reader = source.reader(filter, ALL).unwrap();
    read_on(&mut *reader, &mut Checkpoint::start(), PAGE)
}

fn pieces(texts: &str, ends: &[u32]) -> Vec<String> {
    let starts = [0].iter().chain(ends);
    let spans = starts
        .zip(ends)
        .map(|(start, end)| *start as usize..*end as usize);
    spans.map(|span| texts[span].to_owned()).collect()
}

/// Waits for something that others are about to do.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! Writers who contend for few streams and sometimes change their minds, each
//! tool in its own way, while readers follow.

use std::collections::HashMap;

use super::presets::{TOOLS, Tool};
use super::*;

const WRITERS: u64 = 6;
const STREAMS: u64 = 3;
const APPENDS: u64 = 25;

#[test]
fn contending_writers_are_followed_without_loss() {
    for tool in &TOOLS {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let source = bench.open(tool.mapping()).unwrap();
        let mut followers = [
            Follower::new(&source, EventFilter::default()),
            Follower::new(&source, types(&["b"])),
        ];
        let database = &bench.database;
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| scope.spawn(move || write(database, tool, writer)))
                .collect();
            while !writers.iter().all(|writer| writer.is_finished()) {
                followers.iter_mut().for_each(Follower::follow);
            }
        });
        eventually(tool.preset, || {
            followers.iter_mut().for_each(Follower::follow);
            source.held_back().is_none().then_some(())
        });
        followers.iter_mut().for_each(Follower::follow);
        let batch = everything(&source);
        assert!(batch.len() > 50, "{} appended {}", tool.preset, batch.len());
        check_streams(tool, &batch);
        let ids = pieces(&batch.ids, &batch.id_ends);
        assert_eq!(followers[0].read, ids, "{}", tool.preset);
        let of_b: Vec<&String> = (0..ids.len())
            .filter(|i| batch.event_type(*i) == "b")
            .map(|i| &ids[i])
            .collect();
        assert_eq!(
            followers[1].read.iter().collect::<Vec<_>>(),
            of_b,
            "{}",
            tool.preset
        );
    }
}

struct Follower {
    reader: Box<dyn EventReader>,
    at: Checkpoint,
    read: Vec<String>,
}

impl Follower {
    fn new(source: &TableSource, filter: EventFilter) -> Self {
        Self {
            reader: source.reader(&filter, ALL).unwrap(),
            at: Checkpoint::start(),
            read: Vec::new(),
        }
    }

    fn follow(&mut self) {
        let limit = PageLimit { events: 7, ..PAGE };
        self.read
            .extend(read_on(&mut *self.reader, &mut self.at, limit));
    }
}

/// All there is at the end, read by somebody else.
fn everything(source: &TableSource) -> EventBatch {
    let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
    let limit = PageLimit {
        events: 10_000,
        ..PAGE
    };
    let mut batch = EventBatch::default();
    let mut at = Checkpoint::start();
    loop {
        let page = reader.read(&at, limit).unwrap();
        at = page.checkpoint;
        match (page.at_head, batch.is_empty()) {
            (true, true) => return page.events,
            (true, false) => return batch,
            (false, _) => batch = page.events,
        }
    }
}

/// Whether the versions of each stream come in the order of positions, from 1.
fn check_streams(tool: &Tool, batch: &EventBatch) {
    let mut versions: HashMap<String, u64> = HashMap::new();
    let streams = pieces(&batch.streams, &batch.stream_ends);
    for (stream, version) in streams.into_iter().zip(&batch.versions) {
        let last = versions.entry(stream).or_default();
        *last += 1;
        assert_eq!(version, last, "{}", tool.preset);
    }
}

fn write(database: &TestDatabase, tool: &Tool, writer: u64) {
    let session = database.session();
    for i in 0..APPENDS {
        let chance = (writer * APPENDS + i).wrapping_mul(6_364_136_223_846_793_005) >> 33;
        let stream = tool.stream(u128::from(chance % STREAMS));
        let events: Vec<Written> = (0..1 + chance % 3)
            .map(|n| {
                let id = u128::from(writer * 10_000 + i * 10 + n);
                written(id, if n % 2 == 0 { "a" } else { "b" })
            })
            .collect();
        session.run("BEGIN");
        let before = session.query(&version_of(&tool.mapping(), &stream))[0][0].clone();
        let before = before.unwrap().parse().unwrap();
        let tried = session.try_query(&filled(tool.append, &stream, before, &events));
        std::thread::sleep(Duration::from_millis(chance % 5));
        // Overtaken by another writer: an error, or the answer `false`.
        let done =
            tried.is_ok_and(|rows| rows.last().is_none_or(|row| row[0].as_deref() != Some("f")));
        match done && chance % 10 >= 2 {
            true => session.run("COMMIT"),
            false => session.run("ROLLBACK"),
        }
    }
}

fn version_of(mapping: &TableMapping, stream: &str) -> String {
    format!(
        "SELECT coalesce(max({}) + 1 - {}, 0)::bigint FROM {} WHERE ({})::text = {}",
        mapping.version.as_ref().unwrap(),
        mapping.first_version,
        mapping.table.as_ref().unwrap(),
        mapping.stream.as_ref().unwrap(),
        quoted(stream)
    )
}

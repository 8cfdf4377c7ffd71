//! Pages: what they hold, where they end, and where they leave the reader.

use super::mapping::{OWN, own};
use super::*;
use crate::model::Position;

/// Types a, b by turns; three streams.
fn fill(bench: &Bench, count: u32) {
    bench.database.run(&format!(
        "INSERT INTO log (stream, version, kind, body) \
         SELECT 's-' || i % 3, i / 3 + 1, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END, repeat('x', 100) \
         FROM generate_series(0, {count} - 1) AS i"
    ));
}

#[test]
fn pages_end_at_their_limits() {
    let Some(bench) = Bench::new(OWN) else { return };
    fill(&bench, 100);
    let source = bench.open(own()).unwrap();
    let all: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    for (events, bytes) in [
        (1, 1 << 20),
        (7, 1 << 20),
        (100, 1 << 20),
        (1_000, 1),
        (1_000, 1_000),
    ] {
        let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
        let mut at = Checkpoint::start();
        let limit = PageLimit { events, bytes };
        let mut read = Vec::new();
        loop {
            let page = reader.read(&at, limit).unwrap();
            assert!(page.events.len() <= events);
            // One event may go past the limit of bytes.
            assert!(
                page.events.weight() < bytes + 200,
                "{}",
                page.events.weight()
            );
            read.extend(pieces(&page.events.ids, &page.events.id_ends));
            at = page.checkpoint;
            if page.at_head {
                break;
            }
            assert!(!page.events.is_empty());
        }
        assert_eq!(read, all, "{events} events, {bytes} bytes");
        assert_eq!(at.position(), Position(100));
    }
}

#[test]
fn what_is_not_needed_is_not_read() {
    let Some(bench) = Bench::new(OWN) else { return };
    fill(&bench, 3);
    let source = bench.open(own()).unwrap();
    let mut lean = source
        .reader(&EventFilter::default(), Envelope::default())
        .unwrap();
    let batch = lean.read(&Checkpoint::start(), PAGE).unwrap().events;
    assert_eq!(batch.positions, [1, 2, 3]);
    assert!(
        batch.id_ends.is_empty() && batch.stream_ends.is_empty() && batch.metadata_ends.is_empty()
    );
}

#[test]
fn a_filter_that_lets_nothing_through_still_moves_on() {
    let Some(bench) = Bench::new(OWN) else { return };
    fill(&bench, 70_000);
    let source = bench.open(own()).unwrap();
    let mut reader = source.reader(&types(&["none"]), ALL).unwrap();
    let mut at = Checkpoint::start();
    let mut pages = 0;
    loop {
        let page = reader.read(&at, PAGE).unwrap();
        pages += 1;
        assert!(page.events.is_empty());
        assert!(page.checkpoint.position() > at.position());
        at = page.checkpoint;
        if page.at_head {
            break;
        }
    }
    assert_eq!((pages, at.position()), (3, Position(70_000)));
    let page = reader.read(&at, PAGE).unwrap();
    assert!(page.at_head && page.checkpoint == at);
}

#[test]
fn a_stretch_without_events_is_jumped_over() {
    let Some(bench) = Bench::new(OWN) else { return };
    bench.database.run(
        "INSERT INTO log VALUES (1, 's', 1, 'a', ''), (900000000000, 's', 2, 'b', ''), \
         (900000000001, 's', 3, 'a', '')",
    );
    let source = bench.open(own()).unwrap();
    for (filter, found) in [
        (types(&["a"]), vec!["1", "900000000001"]),
        (types(&["b"]), vec!["900000000000"]),
        (
            EventFilter::default(),
            vec!["1", "900000000000", "900000000001"],
        ),
    ] {
        let mut reader = source.reader(&filter, ALL).unwrap();
        let (mut at, mut read, mut pages) = (Checkpoint::start(), Vec::new(), 0);
        loop {
            let page = reader.read(&at, PAGE).unwrap();
            read.extend(pieces(&page.events.ids, &page.events.id_ends));
            at = page.checkpoint;
            pages += 1;
            if page.at_head {
                break;
            }
        }
        assert_eq!(read, found);
        assert!(pages <= 4, "{pages} pages");
    }
}

#[test]
fn what_is_appended_later_is_read_later() {
    let Some(bench) = Bench::new(OWN) else { return };
    let source = bench.open(own()).unwrap();
    let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
    let mut at = Checkpoint::start();
    assert!(read_on(&mut *reader, &mut at, PAGE).is_empty());
    fill(&bench, 2);
    assert_eq!(read_on(&mut *reader, &mut at, PAGE), ["1", "2"]);
    assert_eq!(at, bench.runtime.block_on(source.head()).unwrap());
    bench
        .database
        .run("INSERT INTO log (stream, version, kind) VALUES ('t', 1, 'a')");
    assert_eq!(read_on(&mut *reader, &mut at, PAGE), ["3"]);
}

#[test]
fn new_heads_are_announced() {
    let Some(bench) = Bench::new(OWN) else { return };
    let source = bench.open(own()).unwrap();
    let mut news = {
        let _inside = bench.runtime.enter();
        source.news()
    };
    fill(&bench, 5);
    bench.runtime.block_on(async {
        let came = news.wait_for(|head| head.position() == Position(5));
        tokio::time::timeout(Duration::from_secs(20), came)
            .await
            .expect("in time")
            .unwrap();
    });
}

#[test]
fn patterns_are_data_and_not_sql() {
    let Some(bench) = Bench::new(OWN) else { return };
    bench.database.run(
        r"INSERT INTO log (stream, version, kind, body) VALUES
          ('it''s', 1, 'a\b%', ''), ('x', 1, 'a_b', ''), ('y', 1, ''') OR true --', '')",
    );
    let source = bench.open(own()).unwrap();
    assert_eq!(read_all(&source, &types(&[r"a\b%"])), ["1"]);
    assert_eq!(read_all(&source, &types(&[r"a\*", "a_*"])), ["1", "2"]);
    assert_eq!(read_all(&source, &types(&["') OR true --"])), ["3"]);
    let filter = EventFilter {
        streams: patterns(&["it's"]),
        ..EventFilter::default()
    };
    assert_eq!(read_all(&source, &filter), ["1"]);
}

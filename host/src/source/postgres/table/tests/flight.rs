//! Streams without holes, whatever order writers commit in.

use super::mapping::{OWN, own};
use super::*;
use crate::source::postgres::table::GapRule;

fn ignoring() -> TableMapping {
    TableMapping {
        gaps: GapRule::Ignore,
        ..own()
    }
}

/// Reads until an error comes.
fn error_of(reader: &mut dyn EventReader, at: &mut Checkpoint) -> SourceError {
    loop {
        match reader.read(at, PAGE) {
            Ok(page) if page.at_head => panic!("it read all, up to {}", page.checkpoint),
            Ok(page) => *at = page.checkpoint,
            Err(error) => return error,
        }
    }
}

/// A reader that does not wait for late commits passes version 2 of a stream.
fn passes_an_event(bench: &Bench, filter: &EventFilter) -> (Box<dyn EventReader>, Checkpoint) {
    bench
        .database
        .run("INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'a', '')");
    let source = bench.open(ignoring()).unwrap();
    let mut reader = source.reader(filter, ALL).unwrap();
    let mut at = Checkpoint::start();
    read_on(&mut *reader, &mut at, PAGE);
    let late = bench.database.session();
    late.run("BEGIN; INSERT INTO log (stream, version, kind, body) VALUES ('s', 2, 'b', '')");
    bench
        .database
        .run("INSERT INTO log (stream, version, kind, body) VALUES ('t', 1, 'a', '')");
    read_on(&mut *reader, &mut at, PAGE);
    assert_eq!(at.position().0, 3);
    late.run("COMMIT");
    assert!(read_on(&mut *reader, &mut at, PAGE).is_empty());
    (reader, at)
}

#[test]
fn an_event_that_was_passed_unread_is_found_out() {
    // A filter that leaves the lost event out cannot know that, and must not.
    for filter in [EventFilter::default(), types(&["a"]), types(&["none"])] {
        let Some(bench) = Bench::new(OWN) else { return };
        let (mut reader, mut at) = passes_an_event(&bench, &filter);
        bench
            .database
            .run("INSERT INTO log (stream, version, kind, body) VALUES ('s', 3, 'a', '')");
        let error = error_of(&mut *reader, &mut at);
        let SourceError::Hole {
            stream,
            expected,
            found,
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!((stream.as_str(), *expected, *found), ("s", 2, 3));
        // Trying again does not make it good.
        assert!(matches!(
            reader.read(&at, PAGE),
            Err(SourceError::Hole { .. })
        ));
        // A rebuild reads it.
        let source = bench.open(own()).unwrap();
        let all = read_all(&source, &EventFilter::default());
        assert_eq!(all, ["1", "2", "3", "4"]);
    }
}

#[test]
fn events_that_were_deleted_are_no_hole() {
    for filter in [EventFilter::default(), types(&["a"])] {
        let Some(bench) = Bench::new(OWN) else { return };
        bench.database.run(
            "INSERT INTO log (stream, version, kind, body) \
             SELECT 's', i, 'a', '' FROM generate_series(1, 9) AS i; \
             DELETE FROM log WHERE version IN (1, 4, 5, 7)",
        );
        let source = bench.open(own()).unwrap();
        for events in [1, 2, 100] {
            let mut reader = source.reader(&filter, ALL).unwrap();
            let limit = PageLimit { events, ..PAGE };
            let read = read_on(&mut *reader, &mut Checkpoint::start(), limit);
            assert_eq!(read, ["2", "3", "6", "8", "9"], "{events}");
        }
    }
}

#[test]
fn a_stream_numbered_in_another_order_than_the_log_is_no_hole() {
    for filter in [EventFilter::default(), types(&["a"])] {
        let Some(bench) = Bench::new(OWN) else { return };
        // Each pair of versions the wrong way round.
        bench.database.run(
            "INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'a', ''), \
             ('s', 3, 'a', ''), ('s', 2, 'a', ''), ('s', 5, 'a', ''), ('t', 1, 'a', ''), \
             ('s', 4, 'a', ''), ('s', 6, 'a', ''), ('s', 7, 'a', '')",
        );
        let source = bench.open(own()).unwrap();
        for events in [1, 2, 3, 100] {
            let mut reader = source.reader(&filter, ALL).unwrap();
            let limit = PageLimit { events, ..PAGE };
            let read = read_on(&mut *reader, &mut Checkpoint::start(), limit);
            assert_eq!(read.len(), 8, "{events}");
        }
    }
}

#[test]
fn tenants_may_use_the_same_streams() {
    let Some(bench) = Bench::new(
        "CREATE TABLE log (n bigserial PRIMARY KEY, tenant text, stream uuid, version int, \
         kind text, body text); \
         INSERT INTO log (tenant, stream, version, kind, body) \
         SELECT t, '00000000-0000-0000-0000-000000000001', i, 'a', '' \
         FROM generate_series(1, 5) AS i, unnest(ARRAY['', 'x', 'y']) AS t",
    ) else {
        return;
    };
    let mut mapping = own();
    mapping.tenant = Some("tenant".into());
    let source = bench.open(mapping).unwrap();
    for filter in [EventFilter::default(), types(&["a"])] {
        assert_eq!(read_all(&source, &filter).len(), 15);
    }
}

#[test]
fn a_reader_may_start_again_elsewhere() {
    let Some(bench) = Bench::new(OWN) else { return };
    bench.database.run(
        "INSERT INTO log (stream, version, kind, body) \
         SELECT 's', i, 'a', '' FROM generate_series(1, 20) AS i",
    );
    let source = bench.open(own()).unwrap();
    let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
    for after in [0, 10, 5, 19, 0] {
        let mut at = Checkpoint::at(crate::model::Position(after));
        let read = read_on(&mut *reader, &mut at, PageLimit { events: 3, ..PAGE });
        assert_eq!(read.len() as u64, 20 - after);
    }
}

/// Marten's rich mode takes numbers before the transaction that uses them, and
/// before it learns the version of the stream.
#[test]
fn martens_rich_mode_is_read_right_with_its_grace() {
    const NUMBERS: &str =
        include_str!("../../../../../../tests/event_tables/marten/append_rich_numbers.sql");
    const APPEND: &str =
        include_str!("../../../../../../tests/event_tables/marten/append_rich.sql");
    const SCHEMA: &str = include_str!("../../../../../../tests/event_tables/marten/schema.sql");
    let Some(bench) = Bench::new(SCHEMA) else {
        return;
    };
    let take = || {
        let sql = filled(NUMBERS, "", 0, &[written(0, "")]);
        bench.database.query(&sql)[0][0].clone().unwrap()
    };
    let append = |numbers: &str, before, id| {
        let sql = APPEND.replace("$6", &format!("'{numbers}'"));
        bench.append(&sql, &stream(1), before, &[written(id, "a")]);
    };
    let mut mapping = TableMapping::preset("marten").unwrap();
    mapping.grace = Duration::from_secs(1);
    let source = bench.open(mapping).unwrap();
    let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
    let mut at = Checkpoint::start();
    append(&take(), 0, 1);
    assert_eq!(read_on(&mut *reader, &mut at, PAGE).len(), 1);

    // The slow one took its number first, and its version last.
    let slow = take();
    append(&take(), 1, 2);
    assert!(
        read_on(&mut *reader, &mut at, PAGE).is_empty(),
        "no lock shows the slow one"
    );
    append(&slow, 2, 3);
    let read = read_on(&mut *reader, &mut at, PAGE);
    assert_eq!(read, [written(3, "").id, written(2, "").id]);
    append(&take(), 3, 4);
    assert_eq!(read_on(&mut *reader, &mut at, PAGE), [written(4, "").id]);

    // A number that is never used is passed after the grace.
    take();
    append(&take(), 4, 5);
    assert!(read_on(&mut *reader, &mut at, PAGE).is_empty());
    let late = eventually("the grace", || {
        let read = read_on(&mut *reader, &mut at, PAGE);
        (!read.is_empty()).then_some(read)
    });
    assert_eq!(late, [written(5, "").id]);
}

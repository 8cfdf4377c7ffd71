//! Holes, large events, lost connections, and logs that cannot be read.

use std::sync::Arc;

use super::{NoBook, PostgresBench, open};
use crate::model::{Checkpoint, EventFilter, Payload};
use crate::postgres::{Database, DatabaseOptions};
use crate::source::behaviour::*;
use crate::source::{
    EventStore, PageLimit, PostgresEventStore, PostgresOptions, Source, SourceError,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_in_a_stream_stops_every_reader_of_the_stream() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut list = events(0..6, "a");
    list[3].event_type = "other".into();
    list.push(event(6, "b"));
    bench.store.append(list, Vec::new()).await.unwrap();
    bench
        .database
        .run("DELETE FROM lantern_events.lantern_events WHERE id = '3'");
    let of = |types: &[&str], streams: &[&str]| EventFilter {
        types: patterns(types),
        streams: patterns(streams),
        ..EventFilter::default()
    };
    // A reader of a type may have missed an event of it, whatever was there.
    for filter in [
        of(&[], &[]),
        of(&["order.*"], &[]),
        of(&["nothing"], &["a"]),
    ] {
        let mut reader = reader(&bench.store, &filter);
        for _ in 0..2 {
            let page = tokio::task::block_in_place(|| reader.read(&Checkpoint::start(), PAGE));
            let Err(SourceError::Hole {
                stream,
                expected,
                found,
                position,
            }) = page
            else {
                panic!("{page:?}");
            };
            assert_eq!((&*stream, expected, found, position.0), ("a", 4, 5, 5));
        }
    }
    assert_eq!(read_all(&bench.store, &of(&["order.*"], &["b"])), ["6"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_suddenly_large_are_all_read() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut list = events(0..60, "a");
    for large in &mut list[30..50] {
        large.data = Payload::Text("x".repeat(400_000));
    }
    bench.store.append(list, Vec::new()).await.unwrap();
    let mut reader = reader(&bench.store, &EventFilter::default());
    let limit = PageLimit {
        events: 1_000,
        bytes: 100_000,
    };
    let (mut checkpoint, mut seen) = (Checkpoint::start(), Vec::new());
    loop {
        let page = tokio::task::block_in_place(|| reader.read(&checkpoint, limit)).unwrap();
        assert!(page.events.weight() < limit.bytes + 500_000);
        seen.extend(page.events.positions);
        checkpoint = page.checkpoint;
        if page.at_head {
            break;
        }
    }
    assert!(seen.into_iter().eq(1..=60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_a_passing_trouble() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut reader = reader(&bench.store, &EventFilter::default());
    for round in 0..5_u32 {
        let mut troubles = 0;
        while let Err(error) = bench
            .store
            .append(vec![event(round, "a")], Vec::new())
            .await
        {
            assert!(error.is_transient(), "{error:?}");
            troubles += 1;
            assert!(troubles < 20, "{error:?}");
        }
        bench.database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let after = at(u64::from(round));
        let page = loop {
            match tokio::task::block_in_place(|| reader.read(&after, PAGE)) {
                Ok(page) => break page,
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
            troubles += 1;
            assert!(troubles < 40);
        };
        assert_eq!(ids(&page.events), [round.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_with_two_numbers_is_one_name() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let sessions = [bench.database.session(), bench.database.session()];
    for (i, session) in sessions.iter().enumerate() {
        session.run("BEGIN");
        let source = format!("/{i}");
        session.run(&format!(
            r#"SELECT lantern_events.lantern_append('s{i}',
                '{{"id":"{i}","type":"new","source":"{source}"}}', tenant => 'acme')"#
        ));
    }
    sessions.iter().for_each(|session| session.run("COMMIT"));
    bench
        .database
        .run(r#"SELECT lantern_events.lantern_append('s0', '{"id":"2","type":"new"}', 1, 'acme')"#);
    let filter = EventFilter {
        types: patterns(&["new"]),
        tenants: patterns(&["acme"]),
        ..EventFilter::default()
    };
    let mut reader = reader(&bench.store, &filter);
    let batch = read(&mut *reader, &Checkpoint::start()).events;
    assert_eq!(ids(&batch), ["0", "1", "2"]);
    assert_eq!(
        (batch.type_names, batch.tenant_names),
        (vec!["new".into()], vec!["acme".into()])
    );
    let given = "SELECT count(*) FROM lantern_events.lantern_event_types";
    assert_eq!(bench.database.query(given)[0][0].as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_used_says_why() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    bench.database.run(
        "INSERT INTO lantern_events.lantern_event_log_migrations \
         VALUES (999, 'later', now(), true, '', 0)",
    );
    let latin = format!("{}_latin", bench.database.name());
    bench.database.run(&format!(
        "CREATE DATABASE \"{latin}\" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    ));
    let latin = bench.database.url().replace(bench.database.name(), &latin);
    for (url, schema, part) in [
        (bench.database.url(), "lantern_events", "newer Lantern"),
        (bench.database.url(), "pg_events", "cannot be the schema"),
        (latin.as_str(), "lantern_events", "encoding LATIN1"),
    ] {
        let database = Database::new(url, &DatabaseOptions::default()).unwrap();
        let options = PostgresOptions {
            schema: schema.into(),
            ..PostgresOptions::default()
        };
        let opened = PostgresEventStore::open(database, options, Arc::new(NoBook)).await;
        let error = opened.err().unwrap();
        assert!(matches!(error, SourceError::Unfit(_)), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_postgresql_cannot_keep_is_refused_by_name() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut data = event("data", "a");
    data.data = Payload::Text("a\0b".into());
    let mut metadata = event("metadata", "a");
    metadata.metadata = Some("\0".into());
    for event in [data, metadata] {
        let part = format!("its {} contains a NUL", event.id);
        let error = bench
            .store
            .append(vec![event], Vec::new())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&part), "{error}");
    }
    let store = open(&bench.database, PostgresOptions::default()).await;
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
}

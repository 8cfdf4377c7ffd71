//! The SQL function, as teams call it, and the view, as people read it.

use super::PostgresBench;
use crate::model::{EventFilter, Payload, Timestamp};
use crate::source::behaviour::*;
use crate::source::{EventStore, ExpectedVersion};

fn call(arguments: &str) -> String {
    format!("SELECT * FROM lantern_events.lantern_append({arguments})")
}

fn row(values: [&str; 3]) -> Vec<Option<String>> {
    values.map(|value| Some(value.to_owned())).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_appended_by_the_rules_of_every_append() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let database = &bench.database;
    let append = call(
        r#"'s', '[{"id":"1","type":"a","data":{"x":1},"source":"/shop","metadata":{"k":2}},
                  {"id":"2","type":"b","data_base64":"AP8=","time":"1970-01-01T01:00:01.5+01:00"}]',
           expected_version => 0, tenant => 'acme'"#,
    );
    assert_eq!(database.query(&append), [row(["2", "0", "2"])]);
    assert_eq!(database.query(&append), [row(["0", "2", "2"])]);
    let one = call(r#"'s', '{"id":"3","type":"a"}', 2, 'acme'"#);
    assert_eq!(database.query(&one), [row(["1", "0", "3"])]);
    let error = database
        .try_query(&call(r#"'s', '{"id":"4","type":"a"}', 2, 'acme'"#))
        .unwrap_err();
    assert_eq!(error.code.as_deref(), Some("LN001"));
    let expected = r#"stream "s" is at version 3, not at the expected 2"#;
    assert!(error.message.contains(expected), "{error}");

    let mut reader = reader(&bench.store, &EventFilter::default());
    let batch = read(&mut *reader, &at(0)).events;
    assert_eq!(
        (&*batch.versions, &*batch.positions),
        (&[1, 2, 3][..], &[1, 2, 3][..])
    );
    assert_eq!(
        pieces(&batch.data, &batch.data_ends),
        [r#"{"x": 1}"#, "", ""]
    );
    assert_eq!(
        (&*batch.binary, batch.time(1)),
        (&[0, 255][..], Timestamp(1_500_000))
    );
    assert_eq!(batch.tenant_names, ["acme"]);
    assert_eq!(
        pieces(&batch.metadata, &batch.metadata_ends)[..2],
        [r#"{"k": 2, "source": "/shop"}"#, r#"{"source": "/sql"}"#]
    );
    // Known to the store as well, by the same source and id.
    let mut again = event("3", "s");
    (again.source, again.tenant) = ("/sql".into(), "acme".into());
    let done = bench.store.append(vec![again], Vec::new()).await.unwrap();
    assert_eq!((done.appended, done.duplicates), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named_and_nothing_is_appended() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    for (arguments, part) in [
        (
            r#"'s', '[{"id":"1","type":"a"},7]'"#,
            "event 2 of the list cannot be appended: it is not a JSON object",
        ),
        (r#"'s', '[{"type":"a"}]'"#, "it has no id"),
        (r#"'s', '[{"id":"1","type":""}]'"#, "it has no type"),
        (
            r#"'s', '[{"id":"1","type":"a","subject":"s"}]'"#,
            r#"its member "subject" is unknown"#,
        ),
        (
            r#"'s', '[{"id":"1","type":"a","data":1,"data_base64":""}]'"#,
            "both data and",
        ),
        (
            r#"'s', '[{"id":"1","type":"a","metadata":[]}]'"#,
            "metadata is not a JSON object",
        ),
        (r#"'s', '"x"'"#, "must be a JSON array"),
        (r#"'', '{"id":"1","type":"a"}'"#, "lantern_stream_is_a_name"),
        (
            r#"'s', '{"id":"1","type":"a"}', null, repeat('x', 257)"#,
            "lantern_tenant_is_a_name",
        ),
        (r#"'s', '{"id":"1","type":"a","time":"noon"}'"#, "noon"),
    ] {
        let error = bench.database.try_query(&call(arguments)).unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    assert!(read_all(&bench.store, &EventFilter::default()).is_empty());
    assert!(bench.store.streams("", 1).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_is_part_of_the_callers_transaction() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    bench.database.run("CREATE TABLE orders (id text)");
    let session = bench.database.session();
    for (id, end) in [("1", "ROLLBACK"), ("2", "COMMIT")] {
        session.run("BEGIN");
        session.run(&format!("INSERT INTO orders VALUES ('{id}')"));
        session.run(&call(&format!(r#"'s', '{{"id":"{id}","type":"a"}}', 0"#)));
        session.run(end);
    }
    assert_eq!(
        bench.database.query("SELECT id FROM orders"),
        [[Some("2".to_owned())]]
    );
    assert_eq!(read_all(&bench.store, &EventFilter::default()), ["2"]);
    let expected = vec![ExpectedVersion {
        tenant: String::new(),
        stream: "s".into(),
        version: 1,
    }];
    bench.store.append(Vec::new(), expected).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_can_read_the_log() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut early = event(1, "a");
    early.time = Timestamp(-1);
    let mut binary = event(2, "a");
    (binary.data, binary.time) = (Payload::Binary(vec![255]), Timestamp(i64::MIN));
    bench
        .store
        .append(vec![early, binary], Vec::new())
        .await
        .unwrap();
    bench.database.run("SET TIME ZONE 'UTC'");
    let seen = bench.database.query(
        "SELECT position, type, stream, version, source, id, time AT TIME ZONE 'UTC', data, data_binary \
         FROM lantern_events.lantern_event_log ORDER BY position",
    );
    let shown: Vec<_> = seen[0].iter().flatten().map(String::as_str).collect();
    let expected = [
        "1",
        "order.placed",
        "a",
        "1",
        "/tests",
        "1",
        "1969-12-31 23:59:59.999999",
        r#"{"id":"1"}"#,
    ];
    assert_eq!(shown, expected);
    assert_eq!(seen[1].last().unwrap().as_deref(), Some(r"\xff"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_by_sql_are_refused_while_projectors_run_inline() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let append = |id: u32| call(&format!(r#"'s', '{{"id":"{id}","type":"a"}}'"#));
    // A change waits for an append that is on its way,
    let open = bench.database.session();
    open.run("BEGIN");
    open.query(&append(1));
    let change = bench.database.session();
    let changed = change.begin_query(
        "BEGIN; SELECT lantern_events.lantern_turn(true); \
         INSERT INTO lantern_events.lantern_inline VALUES ('p')",
    );
    let waiting = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
    wait_for(&bench, waiting, "1");
    open.run("COMMIT");
    changed.recv().unwrap().unwrap();
    // and an append that waits for the change sees it.
    let append_2 = bench.database.session();
    let appended = append_2.begin_query(&append(2));
    wait_for(&bench, waiting, "1");
    change.run("COMMIT");
    let error = appended.recv().unwrap().unwrap_err();
    assert_eq!(error.code.as_deref(), Some("LN002"));
    assert!(error.message.contains("the inline projectors p"), "{error}");
    bench.store.end_inline("p").await.unwrap();
    assert_eq!(bench.database.query(&append(2)), [row(["1", "0", "2"])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_becomes_inline_follows_the_appends_that_were_on_their_way() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let follower = inline::with_follower(&bench.store);
    let open = bench.database.session();
    open.run("BEGIN");
    open.query(&call(r#"'s', '{"id":"1","type":"a"}'"#));
    let commit = async {
        let waiting = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
        wait_for(&bench, waiting, "1");
        open.run("COMMIT");
    };
    let (begun, ()) = tokio::join!(bench.store.begin_inline("p"), commit);
    begun.unwrap();
    assert_eq!(follower.last().1, ["1"]);
}

/// Else its events could get lower positions than those that a projector has seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_appends_beside_an_append_with_inline_projectors() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let waiting = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
    // Also when the projector is taken off the list meanwhile,
    let inline = bench.database.session();
    inline.run("BEGIN; SELECT lantern_events.lantern_turn(true)");
    bench.store.end_inline("p").await.unwrap();
    let beside = bench.database.session();
    let appended = beside.begin_query(&call(r#"'s', '{"id":"1","type":"a"}'"#));
    wait_for(&bench, waiting, "1");
    inline.run("COMMIT");
    appended.recv().unwrap().unwrap();

    // or was not yet on it for a transaction that began long ago.
    let old = bench.database.session();
    old.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let follower = inline::with_follower(&bench.store);
    bench.store.begin_inline("p").await.unwrap();
    old.query(&call(r#"'s', '{"id":"2","type":"a"}'"#));
    let commit = async {
        wait_for(&bench, waiting, "1");
        old.run("COMMIT");
    };
    let event = events(3..4, "b");
    let (appended, ()) = tokio::join!(bench.store.append(event, Vec::new()), commit);
    appended.unwrap();
    assert_eq!(follower.last().1, ["1", "2", "3"]);
}

fn wait_for(bench: &PostgresBench, question: &str, answer: &str) {
    let begun = std::time::Instant::now();
    while bench.database.query(question) != [vec![Some(answer.to_owned())]] {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {question}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

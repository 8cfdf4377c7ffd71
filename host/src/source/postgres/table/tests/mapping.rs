//! Tables of one's own: types, expressions, and what may be left out.

use super::*;

/// A mapping of the columns that most tables below have.
pub(super) fn own() -> TableMapping {
    TableMapping {
        table: Some("log".into()),
        position: Some("n".into()),
        stream: Some("stream".into()),
        version: Some("version".into()),
        event_type: Some("kind".into()),
        data: Some("body".into()),
        ..TableMapping::custom()
    }
}

pub(super) const OWN: &str = "CREATE TABLE log (n bigserial PRIMARY KEY, stream text, version int, \
     kind text, body text, UNIQUE (stream, version))";

#[test]
fn payloads_are_read_from_every_type_they_may_have() {
    for (sql_type, value, text) in [
        ("json", r#"'{"a": 1 }'"#, r#"{"a": 1 }"#),
        ("jsonb", r#"'{"a":   1 }'"#, r#"{"a": 1}"#),
        ("text", "'plain'", "plain"),
        ("varchar(20)", "'plain'", "plain"),
        ("bytea", r#"convert_to('{"é": 1}', 'UTF8')"#, r#"{"é": 1}"#),
        ("bytea", "NULL", ""),
    ] {
        let Some(bench) = Bench::new(&format!(
            "CREATE TABLE log (n bigserial PRIMARY KEY, stream text, version int, kind text, \
             body {sql_type}); \
             INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'k', {value})"
        )) else {
            return;
        };
        let mut mapping = own();
        mapping.metadata = Some("body".into());
        let source = bench.open(mapping).unwrap();
        let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
        assert_eq!(batch.data, text, "{sql_type}");
        assert_eq!(batch.metadata, text, "{sql_type}");
        assert!(batch.binary_ends.is_empty(), "{sql_type}");
    }
}

#[test]
fn bytes_that_are_no_text_stay_bytes() {
    let Some(bench) = Bench::new(
        "CREATE TABLE log (n bigserial PRIMARY KEY, stream text, version int, kind text, \
         body bytea); \
         INSERT INTO log (stream, version, kind, body) VALUES \
         ('s', 1, 'k', 'text'), ('s', 2, 'k', '\\xff00'), ('s', 3, 'k', 'more')",
    ) else {
        return;
    };
    let source = bench.open(own()).unwrap();
    let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
    assert_eq!(pieces(&batch.data, &batch.data_ends), ["text", "", "more"]);
    assert_eq!(batch.binary, [0xff, 0]);
    assert_eq!(batch.binary_ends, [0, 2, 2]);
}

#[test]
fn names_and_numbers_are_read_from_every_type_they_may_have() {
    let Some(bench) = Bench::new(
        "CREATE TYPE mood AS ENUM ('calm', 'cross'); CREATE DOMAIN code AS varchar(9); \
         CREATE TABLE log (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream bigint, \
         version smallint, kind mood, tenant code, id uuid, at timestamp, body text); \
         INSERT INTO log (stream, version, kind, tenant, id, at, body) VALUES \
         (-7, 0, 'cross', 'acme', 'AAAAAAAA-0000-0000-0000-00000000000B', '2001-02-03 04:05:06.7', '')",
    ) else {
        return;
    };
    let source = bench
        .open(TableMapping {
            tenant: Some("tenant".into()),
            id: Some("id".into()),
            time: Some("at".into()),
            first_version: 0,
            ..own()
        })
        .unwrap();
    let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
    assert_eq!((batch.positions[0], batch.versions[0]), (1, 1));
    assert_eq!((batch.event_type(0), batch.tenant(0)), ("cross", "acme"));
    assert_eq!(batch.streams, "-7");
    assert_eq!(batch.ids, "aaaaaaaa-0000-0000-0000-00000000000b");
    assert_eq!(batch.time(0).to_string(), "2001-02-03T04:05:06.700Z");
}

#[test]
fn columns_may_be_expressions() {
    let Some(bench) = Bench::new(
        "CREATE SCHEMA \"My Shop\"; \
         CREATE TABLE \"My Shop\".\"Event Log\" (\"Nr\" bigserial PRIMARY KEY, doc jsonb); \
         INSERT INTO \"My Shop\".\"Event Log\" (doc) VALUES \
         ('{\"s\": \"cart-1\", \"v\": 1, \"t\": \"added\", \"at\": \"2020-01-01T00:00:00+01:00\", \
            \"m\": {\"by\": \"me\"}, \"d\": {\"x\": [1]}}'), \
         ('{\"s\": \"test-1\", \"v\": 1, \"t\": \"added\", \"d\": null}')",
    ) else {
        return;
    };
    let said = |text: &str| Some(text.to_owned());
    let source = bench
        .open(TableMapping {
            table: said("\"My Shop\".\"Event Log\""),
            position: said("\"Nr\""),
            stream: said("doc->>'s'"),
            version: said("(doc->>'v')::int"),
            event_type: said("doc->>'t'"),
            id: said("'#' || \"Nr\""),
            tenant: said("split_part(doc->>'s', '-', 1)"),
            time: said("doc->>'at'"),
            data: said("doc->'d'"),
            metadata: said("doc->'m'"),
            filter: said("doc->>'s' NOT LIKE 'test-%'"),
            ..TableMapping::custom()
        })
        .unwrap();
    let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
    assert_eq!(batch.positions, [1]);
    assert_eq!(
        (batch.streams.as_str(), batch.tenant(0)),
        ("cart-1", "cart")
    );
    assert_eq!(
        (batch.ids.as_str(), batch.data.as_str()),
        ("#1", r#"{"x": [1]}"#)
    );
    assert_eq!(batch.metadata, r#"{"by": "me"}"#);
    assert_eq!(batch.time(0).to_string(), "2019-12-31T23:00:00.000Z");
}

#[test]
fn what_a_table_does_not_have_is_left_out() {
    let Some(bench) = Bench::new(
        "CREATE TABLE log (n bigserial PRIMARY KEY, kind text, body text); \
         INSERT INTO log (kind, body) VALUES ('a', 'x'), ('b', 'y')",
    ) else {
        return;
    };
    let mut mapping = own();
    (mapping.stream, mapping.version) = (None, None);
    let source = bench.open(mapping).unwrap();
    let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
    // The position stands for id and version.
    assert_eq!(pieces(&batch.ids, &batch.id_ends), ["1", "2"]);
    assert_eq!(batch.versions, [1, 2]);
    assert_eq!(batch.times, [0, 0]);
    assert_eq!(pieces(&batch.streams, &batch.stream_ends), ["", ""]);
    assert_eq!(pieces(&batch.metadata, &batch.metadata_ends), ["", ""]);
    let streams = |list: &[&str]| EventFilter {
        streams: patterns(list),
        ..EventFilter::default()
    };
    assert!(read_all(&source, &streams(&["s"])).is_empty());
    assert_eq!(read_all(&source, &streams(&["*"])).len(), 2);
    assert_eq!(read_all(&source, &types(&["b"])), ["2"]);
}

#[test]
fn a_sequence_is_found_however_it_is_tied() {
    for make in [
        "CREATE TABLE log (n bigserial PRIMARY KEY",
        "CREATE TABLE log (n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "CREATE SEQUENCE q; CREATE TABLE log (n bigint DEFAULT nextval('q') PRIMARY KEY",
        "CREATE SCHEMA x; CREATE SEQUENCE x.\"Q\"; \
         CREATE TABLE log (n bigint DEFAULT 1 * nextval('x.\"Q\"') PRIMARY KEY",
    ] {
        let Some(bench) = Bench::new(&format!(
            "{make}, stream text, version int, kind text, body text)"
        )) else {
            return;
        };
        let survey = bench.survey(&own()).unwrap();
        assert_eq!(survey.relations.len(), 2, "{make}: {:?}", survey.relations);
    }
}

#[test]
fn a_tools_sequence_counts_beside_one_that_the_column_owns() {
    let Some(bench) = Bench::new(
        "CREATE TABLE domain_event_entry (global_index bigserial PRIMARY KEY, \
         event_identifier text, meta_data bytea, payload bytea, payload_type text, \
         time_stamp text, aggregate_identifier text, sequence_number bigint); \
         CREATE SEQUENCE domain_event_entry_seq INCREMENT 50; \
         CREATE SEQUENCE hibernate_sequence INCREMENT 50",
    ) else {
        return;
    };
    let mut mapping = TableMapping::preset("axon").unwrap();
    let refusal = bench.refused(mapping.clone());
    assert!(refusal.contains("domain_event_entry_seq"), "{refusal}");
    // Who knows better says so.
    mapping.sequence = Some("domain_event_entry_global_index_seq".into());
    bench.open(mapping).unwrap();
}

#[test]
fn the_time_may_be_taken_out_of_the_payload() {
    let Some(bench) = Bench::new(
        "CREATE TABLE log (n bigserial PRIMARY KEY, stream text, version int, kind text, body bytea)",
    ) else {
        return;
    };
    // As the Python library eventsourcing writes it.
    bench.database.run(
        r#"INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'k', convert_to(
           '{"timestamp": {"_type_": "datetime_iso", "_data_": "2026-11-21T10:53:58.141585+00:00"}}',
           'UTF8'))"#,
    );
    let mut mapping = own();
    mapping.time = Some("convert_from(body, 'UTF8')::json #>> '{timestamp,_data_}'".into());
    let source = bench.open(mapping).unwrap();
    let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
    assert_eq!(batch.time(0).to_string(), "2026-11-21T10:53:58.141585Z");
}

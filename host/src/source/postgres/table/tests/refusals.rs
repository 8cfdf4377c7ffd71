//! What is wrong with a mapping is said at the opening, with what to do.

use super::mapping::{OWN, own};
use super::*;
use crate::source::EventStore;
use crate::source::postgres::table::GapRule;

/// Refuses a change of a mapping that is sound.
fn refused(bench: &Bench, change: impl FnOnce(&mut TableMapping)) -> String {
    let mut mapping = own();
    change(&mut mapping);
    bench.refused(mapping)
}

fn set(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn each_wrong_setting_is_named() {
    let Some(bench) = Bench::new(OWN) else { return };
    bench.open(own()).unwrap();
    let says = |text: String, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in: {text}");
        }
    };
    says(
        refused(&bench, |m| m.table = None),
        &["`event_store.table` is not set", "`custom`"],
    );
    says(
        refused(&bench, |m| m.table = set("Log_2")),
        &["there is no table Log_2", "`event_store.table`"],
    );
    says(
        refused(&bench, |m| m.table = set("elsewhere.log")),
        &["there is no table elsewhere.log", "(there is public.log)"],
    );
    says(
        refused(&bench, |m| m.table = set("log JOIN nothing ON true")),
        &["`event_store.position`", "nothing"],
    );
    says(
        refused(&bench, |m| m.position = set("nr")),
        &["`event_store.position` is `nr`", "\"nr\" does not exist"],
    );
    says(
        refused(&bench, |m| m.position = set("n + 1")),
        &["not a plain column"],
    );
    says(
        refused(&bench, |m| m.version = set("versoin")),
        &["`event_store.version` is `versoin`", "does not exist"],
    );
    says(
        refused(&bench, |m| m.version = set("body")),
        &["`event_store.version`", "of type text", "bigint"],
    );
    says(
        refused(&bench, |m| m.version = set("version::numeric")),
        &["of type numeric", "(version::numeric)::bigint"],
    );
    says(
        refused(&bench, |m| m.data = set("n")),
        &["`event_store.data`", "of type int8", "jsonb", "::text"],
    );
    says(
        refused(&bench, |m| m.data = set("n::int::oid")),
        &["large object", "bytea"],
    );
    says(
        refused(&bench, |m| m.time = set("n")),
        &["`event_store.time`", "to_timestamp(n)"],
    );
    says(
        refused(&bench, |m| m.filter = set("version")),
        &["`event_store.filter`", "condition"],
    );
    says(
        refused(&bench, |m| m.filter = set("version >")),
        &["`event_store.filter`", "syntax error"],
    );
    says(
        refused(&bench, |m| m.sequence = set("no_such")),
        &["there is no sequence no_such", "`event_store.sequence`"],
    );
    let unnamed = bench.refused(TableMapping::preset("eventsourcing").unwrap());
    says(
        unnamed,
        &["`event_store.table` is not set", "school_events"],
    );
}

#[test]
fn a_log_that_cannot_be_followed_is_refused() {
    let columns = "stream text, version int, kind text, body text";
    for (make, table, part) in [
        (
            "CREATE TABLE log (n bigint PRIMARY KEY, {})",
            "log",
            "`event_store.sequence`",
        ),
        (
            "CREATE TABLE base (n bigserial PRIMARY KEY, {}); CREATE VIEW log AS SELECT * FROM base",
            "log",
            "is a view",
        ),
        (
            "CREATE TABLE base (n bigserial PRIMARY KEY, {}); \
             CREATE MATERIALIZED VIEW log AS SELECT * FROM base",
            "log",
            "is a materialized view",
        ),
        (
            "CREATE TABLE log (n bigserial PRIMARY KEY, {}); INSERT INTO log (n) VALUES (0)",
            "log",
            "at position 0",
        ),
        (
            "CREATE SEQUENCE q INCREMENT 50; \
             CREATE TABLE log (n bigint DEFAULT nextval('q') PRIMARY KEY, {})",
            "log",
            "more than 1",
        ),
        (
            "CREATE SEQUENCE q CACHE 20; \
             CREATE TABLE log (n bigint DEFAULT nextval('q') PRIMARY KEY, {})",
            "log",
            "CACHE 1",
        ),
    ] {
        let Some(bench) = Bench::new(&make.replace("{}", columns)) else {
            return;
        };
        let text = refused(&bench, |m| m.table = set(table));
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn a_view_will_do_for_those_who_do_not_wait() {
    let Some(bench) = Bench::new(&format!(
        "{OWN}; INSERT INTO log (stream, version, kind) VALUES ('s', 1, 'k'); \
         CREATE VIEW shown AS SELECT * FROM log"
    )) else {
        return;
    };
    let source = bench
        .open(TableMapping {
            table: set("shown"),
            gaps: GapRule::Ignore,
            ..own()
        })
        .unwrap();
    assert_eq!(read_all(&source, &EventFilter::default()).len(), 1);
}

#[test]
fn a_missing_index_is_warned_of() {
    let Some(bench) = Bench::new(
        "CREATE TABLE log (n bigserial, stream text, version int, kind text, body text); \
         INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'k', '')",
    ) else {
        return;
    };
    let warned = bench.survey(&own()).unwrap().warnings;
    assert!(
        warned[0].contains("CREATE INDEX CONCURRENTLY ON public.log (n)"),
        "{warned:?}"
    );
    // It works all the same.
    assert_eq!(
        read_all(&bench.open(own()).unwrap(), &EventFilter::default()).len(),
        1
    );
    bench.database.run("CREATE INDEX ON log (n, kind)");
    assert!(bench.survey(&own()).unwrap().warnings.is_empty());
}

#[test]
fn select_is_the_only_right_that_is_needed() {
    let Some(bench) = Bench::new(&format!(
        "CREATE SCHEMA shop; SET search_path TO shop; {OWN}; \
         INSERT INTO log (stream, version, kind, body) VALUES ('s', 1, 'k', 'x')"
    )) else {
        return;
    };
    let role = format!("reader_{}", bench.database.name());
    bench.database.run(&format!("CREATE ROLE {role} LOGIN"));
    let url = bench.database.url().replacen("postgres://", "", 1);
    let place = url
        .rsplit_once('@')
        .map_or(url.as_str(), |(_, place)| place);
    let url = format!("postgres://{role}@{place}");
    let mut mapping = own();
    mapping.table = set("shop.log");
    let refusal = |mapping| match bench.open_as(&url, mapping) {
        Err(SourceError::Unfit(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was let in"),
    };
    let text = refusal(mapping.clone());
    assert!(
        text.contains("schema shop") && text.contains("GRANT USAGE"),
        "{text}"
    );
    bench
        .database
        .run(&format!("GRANT USAGE ON SCHEMA shop TO {role}"));
    let text = refusal(mapping.clone());
    assert!(
        text.contains("table log") && text.contains("GRANT SELECT"),
        "{text}"
    );

    bench
        .database
        .run(&format!("GRANT SELECT ON shop.log TO {role}"));
    let source = bench.open_as(&url, mapping).unwrap();
    assert_eq!(read_all(&source, &EventFilter::default()).len(), 1);
    // A late commit is seen without a right to the sequence.
    let late = bench.database.session();
    late.run("BEGIN; INSERT INTO shop.log (stream, version, kind) VALUES ('t', 1, 'k')");
    bench
        .database
        .run("INSERT INTO shop.log (stream, version, kind) VALUES ('u', 1, 'k')");
    assert_eq!(read_all(&source, &EventFilter::default()).len(), 1);
    late.run("ROLLBACK");
    eventually("the rollback", || {
        (read_all(&source, &EventFilter::default()).len() == 2).then_some(())
    });
    assert_eq!(
        bench.runtime.block_on(source.streams("", 9)).unwrap().len(),
        2
    );
    drop(source);
    bench
        .database
        .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn nothing_can_be_appended() {
    let Some(bench) = Bench::new(OWN) else { return };
    let source = bench.open(own()).unwrap();
    let appended = bench
        .runtime
        .block_on(source.append(Vec::new(), Vec::new()));
    let imported = bench.runtime.block_on(source.import());
    for error in [appended.err(), imported.err()] {
        let Some(SourceError::ReadOnly(text)) = error else {
            panic!("{error:?}")
        };
        assert!(
            text.contains("public.log") && text.contains("append there"),
            "{text}"
        );
    }
}

#[test]
fn values_that_cannot_be_read_name_the_event() {
    for (row, part) in [
        (
            "(2, 's', NULL, 'k', '')",
            "its version is of no use: it is null",
        ),
        ("(2, 's', 0, 'k', '')", "first_version"),
    ] {
        let Some(bench) = Bench::new(OWN) else { return };
        bench.database.run(&format!(
            "INSERT INTO log VALUES (1, 's', 1, 'k', ''), {row}"
        ));
        let source = bench.open(own()).unwrap();
        let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
        let error = reader.read(&Checkpoint::start(), PAGE).unwrap_err();
        let SourceError::Unreadable { position, reason } = &error else {
            panic!("{error:?}")
        };
        assert!(
            position.0 == 2 && reason.contains(part),
            "{position}: {reason}"
        );
    }
}

#[test]
fn a_position_given_twice_is_an_error() {
    let Some(bench) = Bench::new(
        "CREATE SEQUENCE q; CREATE TABLE log (n bigint DEFAULT nextval('q'), stream text, \
         version int, kind text, body text); CREATE INDEX ON log (n); \
         INSERT INTO log VALUES (1, 'a', 1, 'k', ''), (2, 'b', 1, 'k', ''), (2, 'c', 1, 'k', '')",
    ) else {
        return;
    };
    let source = bench.open(own()).unwrap();
    for events in [2, 10] {
        let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
        let limit = PageLimit { events, ..PAGE };
        let error = reader.read(&Checkpoint::start(), limit).unwrap_err();
        assert!(
            error.to_string().contains("two events of public.log"),
            "{error}"
        );
    }
}

//! How tables are kept: indexes, order, and how certain a commit is.

use super::bench::{PostgresBench, QUOTED, options};
use crate::model::{ColumnType, Description, IndexKind, RawDescription};
use crate::read_store::behaviour::bench::*;
use crate::read_store::{Durability, PostgresOptions, ReadStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_cannot_write_through_their_names() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &orders("1.0.0")).await;
    open.store(&puts([order("a", 1)]), 1);
    let session = bench.session();
    for sql in [
        "INSERT INTO orders VALUES ('b', 2)",
        "UPDATE orders SET total = 3",
        "DELETE FROM orders",
    ] {
        let error = session.try_query(sql).unwrap_err();
        assert!(error.message.contains("view"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_natural_expression_uses_the_index() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &indexed()).await;
    open.store(&puts([]), 1);
    bench.store.build_indexes(open.id).await.unwrap();
    let session = bench.session();
    session.run("SET enable_seqscan = off; SET enable_bitmapscan = off");
    for condition in [
        "label = 'x'",
        "label LIKE 'x%'",
        "label > 'x'",
        "body ->> 'city' = 'x'",
        "body ->> 'city' LIKE 'x%'",
        "body #>> '{address,city}' = 'x'",
        "body #>> '{items,0,sku}' = 'x'",
    ] {
        let plan = session.query(&format!("EXPLAIN SELECT * FROM things WHERE {condition}"));
        let plan: Vec<String> = plan.into_iter().flatten().flatten().collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Cond"), "{condition}: {plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_under_the_readers_name_uses_the_index() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let text = |guarded| {
        let mut raw = described("notes", "1.0.0", &[("body", ColumnType::Text)]);
        let part = ("body".to_owned(), None, false);
        raw.tables[0].indexes = vec![(IndexKind::Text, vec![part])];
        raw.tables[0].guarded = guarded;
        raw.check().unwrap()
    };
    for guarded in [false, true] {
        let mut open = begin(&bench.store, &text(guarded)).await;
        open.store(&puts([]), 1);
        bench.store.build_indexes(open.id).await.unwrap();
        if guarded {
            bench.store.swap(open.id).await.unwrap();
        }
        let session = bench.session();
        session.run("SET enable_seqscan = off");
        let plan = session.query(
            "EXPLAIN SELECT * FROM notes_text WHERE words @@ plainto_tsquery('simple', 'lamp') \
             AND id = 'a' ORDER BY ts_rank(words, plainto_tsquery('simple', 'lamp'))",
        );
        let plan: Vec<String> = plan.into_iter().flatten().flatten().collect();
        let plan = plan.join("\n");
        let index = format!("Bitmap Index Scan on lantern_i{}_0_0", open.id);
        assert!(plan.contains(&index), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_has_no_tombstones_and_serves_a_tenants_readers() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &guarded_labels()).await;
    open.store(&puts([]), 1);
    bench.store.build_indexes(open.id).await.unwrap();
    let session = bench.session();
    let index = format!("lantern_i{}_0_0", open.id);
    let shown = |sql: &str| {
        let lines: Vec<String> = session.query(sql).into_iter().flatten().flatten().collect();
        lines.join("\n")
    };
    let made = shown(&format!(
        "SELECT indexdef FROM pg_indexes WHERE indexname = '{index}'"
    ));
    assert!(made.ends_with("WHERE (NOT lantern_deleted)"), "{made}");
    session.run("SET enable_seqscan = off; SET enable_bitmapscan = off");
    let plan = shown(
        "EXPLAIN SELECT * FROM things WHERE tenant = 't' AND label > 'x' ORDER BY label DESC",
    );
    assert!(
        plan.contains(&index) && plan.contains("Index Cond"),
        "{plan}"
    );
    assert!(!plan.contains("Sort"), "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_ordered_by_their_bytes() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &orders("1.0.0")).await;
    open.store(
        &puts(["é", "b", "_", "a b", "B", "ab", "a"].map(|id| order(id, 0))),
        1,
    );
    let session = bench.session();
    let found = session.query("SELECT id FROM orders ORDER BY id");
    let found: Vec<String> = found.into_iter().flatten().flatten().collect();
    assert_eq!(found, ["B", "_", "a", "a b", "ab", "b", "é"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_as_certain_as_they_are_set_to_be() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    for (name, durability, expected) in [
        ("loose", Durability::Normal, "off"),
        ("firm", Durability::Full, "on"),
    ] {
        let store = bench
            .open(PostgresOptions {
                durability,
                ..options()
            })
            .await;
        let description = described(name, "1.0.0", &[("n", ColumnType::Integer)]);
        let mut open = begin(&store, &description.check().unwrap()).await;
        // Writes down how certain the commit of each row is.
        bench.session().run(&format!(
            "CREATE TABLE heard_{name} (setting text); \
             CREATE FUNCTION hear_{name}() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO {QUOTED}.heard_{name} VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END'; \
             CREATE TRIGGER hear BEFORE INSERT ON lantern_g{}_{name} \
             FOR EACH ROW EXECUTE FUNCTION hear_{name}()",
            open.id
        ));
        open.store(&puts([order("a", 1)]), 1);
        open.store(&puts([order("b", 1)]), 2);
        let heard = bench
            .session()
            .query(&format!("SELECT setting FROM heard_{name}"));
        assert_eq!(
            heard,
            [[Some(expected.to_owned())], [Some(expected.to_owned())]]
        );
        let elsewhere = bench.session().query("SHOW synchronous_commit");
        assert_eq!(elsewhere, [[Some("on".to_owned())]]);
    }
}

fn indexed() -> Description {
    let columns = [("label", ColumnType::Text), ("body", ColumnType::Json)];
    let mut raw: RawDescription = described("things", "1.0.0", &columns);
    let path = |path: &str| {
        (
            IndexKind::Ordered,
            vec![("body".into(), Some(path.into()), false)],
        )
    };
    raw.tables[0].indexes = vec![
        (IndexKind::Ordered, vec![("label".into(), None, false)]),
        path("$.city"),
        path("$.address.city"),
        path("$.items[0].sku"),
    ];
    raw.check().unwrap()
}

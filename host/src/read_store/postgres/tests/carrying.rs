//! What people have done to a readers' view survives a swap.

use lantern_test_servers::{Rows, Session};

use super::bench::PostgresBench;
use crate::model::{ColumnType, Description};
use crate::read_store::behaviour::bench::*;
use crate::read_store::{ReadStore, StoreError, Swap};

const VIEW: &str = "SELECT c.oid, c.relacl::text, pg_get_userbyid(c.relowner), c.reloptions::text, \
     obj_description(c.oid, 'pg_class'), \
     (SELECT string_agg(a.attname || coalesce(a.attacl::text, '') \
         || coalesce(col_description(c.oid, a.attnum), ''), ', ' ORDER BY a.attname) \
      FROM pg_attribute a WHERE a.attrelid = c.oid AND (a.attacl IS NOT NULL \
         OR col_description(c.oid, a.attnum) IS NOT NULL)) \
     FROM pg_class c WHERE c.oid = 'orders'::regclass";

/// A bench, and roles of its own to give rights to: roles are the server's.
async fn with_roles(names: [&str; 2]) -> Option<(PostgresBench, [String; 2])> {
    let bench = PostgresBench::new().await?;
    let session = bench.session();
    let roles = names.map(|name| format!("{name}_{}", bench.database.name()));
    for role in &roles {
        session.run(&format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}"));
    }
    Some((bench, roles))
}

fn columns(version: &str, columns: &[(&str, ColumnType)]) -> Description {
    described("orders", version, columns).check().unwrap()
}

/// Builds a version, whose rows all have `total`, and swaps to it.
async fn next(store: &dyn ReadStore, description: &Description, total: i64) {
    let mut open = begin(store, description).await;
    let mut row = order("a", total);
    row.values.resize(
        description.tables[0].columns.len(),
        crate::model::Value::Null,
    );
    open.store(&puts([row]), 1);
    assert_eq!(store.swap(open.id).await.unwrap(), Swap::Done);
}

fn decorate(session: &Session, reader: &str, clerk: &str) {
    session.run(&format!(
        "GRANT SELECT ON orders TO {reader} WITH GRANT OPTION; \
         GRANT SELECT (id) ON orders TO {clerk}; GRANT SELECT (total) ON orders TO {clerk}; \
         COMMENT ON VIEW orders IS 'what''s \\ ordered'; \
         COMMENT ON COLUMN orders.id IS 'the \"number\"'; \
         ALTER VIEW orders SET (security_barrier = true)"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_whose_columns_stay_remains_itself() {
    let Some((bench, [reader, clerk])) = with_roles(["reader", "clerk"]).await else {
        return;
    };
    let (store, session) = (&bench.store, bench.session());
    begin(store, &orders("1.0.0")).await;
    decorate(&session, &reader, &clerk);
    session.run("CREATE VIEW big_orders AS SELECT id FROM orders WHERE total > 10");
    let before: Rows = session.query(VIEW);
    next(store, &orders("2.0.0"), 11).await;
    assert_eq!(session.query(VIEW), before);
    // One more column is no reason to be another view, either.
    let wider = [("total", ColumnType::Integer), ("city", ColumnType::Text)];
    next(store, &columns("3.0.0", &wider), 12).await;
    assert_eq!(session.query(VIEW), before);
    assert_eq!(
        session.query("SELECT id FROM big_orders"),
        [[Some("a".to_owned())]]
    );
    assert_eq!(
        session.query("SELECT total, city FROM orders"),
        [[Some("12".to_owned()), None]]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_of_other_columns_gets_what_the_former_had() {
    let Some((bench, [reader, clerk])) = with_roles(["reader", "clerk"]).await else {
        return;
    };
    let (store, session) = (&bench.store, bench.session());
    begin(store, &orders("1.0.0")).await;
    decorate(&session, &reader, &clerk);
    // What is given to new views by default was never given to this one.
    session.run("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC");
    let without_oid = || {
        let mut rows = session.query(VIEW);
        rows[0].remove(0);
        rows
    };
    let before = without_oid();
    assert!(before[0][4].as_ref().unwrap().contains("total"));
    // The same names, of another type.
    next(
        store,
        &columns("2.0.0", &[("total", ColumnType::Timestamp)]),
        0,
    )
    .await;
    let mut after = without_oid();
    assert_eq!(after, before);
    // One column fewer, and with it what was said of that.
    next(
        store,
        &columns("3.0.0", &[("sum", ColumnType::Timestamp)]),
        0,
    )
    .await;
    after = without_oid();
    let said = after[0].pop().unwrap().unwrap();
    assert!(
        said.contains("the \"number\"") && !said.contains("total"),
        "{said}"
    );
    assert_eq!(after[0][..], before[0][..4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_depends_on_changed_columns_stops_the_swap() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let (store, session) = (&bench.store, bench.session());
    let live = begin(store, &orders("1.0.0")).await;
    session.run("CREATE VIEW report AS SELECT total FROM orders");
    let wider = columns("2.0.0", &[("sum", ColumnType::Integer)]);
    let next = begin(store, &wider).await;
    for error in [
        store.swap(next.id).await.unwrap_err(),
        store
            .drop_projector(&projector("orders"))
            .await
            .unwrap_err(),
    ] {
        let StoreError::DependedUpon { table, dependents } = &error else {
            panic!("{error:?} is not about what depends on a view");
        };
        assert_eq!(table, "orders");
        assert!(dependents.contains("report"), "{dependents}");
        assert!(!error.is_transient());
    }
    assert_eq!(record(store, "orders").await.live().unwrap().id, live.id);
    assert_eq!(
        session.query("SELECT count(*) FROM report"),
        [[Some("0".to_owned())]]
    );
    session.run("DROP VIEW report");
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_may_belong_to_somebody_else() {
    let Some((bench, [owner, reader])) = with_roles(["owner", "reader"]).await else {
        return;
    };
    let (store, session) = (&bench.store, bench.session());
    let first = begin(store, &orders("1.0.0")).await;
    session.run(&format!(
        "GRANT ALL ON SCHEMA {0} TO {owner}; GRANT USAGE ON SCHEMA {0} TO {reader}; \
         GRANT SELECT ON lantern_g{1}_orders TO {owner}; \
         GRANT SELECT ON orders TO {reader}; ALTER VIEW orders OWNER TO {owner}",
        super::bench::QUOTED,
        first.id
    ));
    let seen = |role: &str| {
        let session = bench.session();
        session.run(&format!("SET ROLE {role}"));
        session.try_query("SELECT id FROM orders")
    };
    // In place, then made anew; each time the new table is theirs to read.
    next(store, &orders("2.0.0"), 1).await;
    assert_eq!(seen(&reader), Ok(vec![vec![Some("a".to_owned())]]));
    next(
        store,
        &columns("3.0.0", &[("total", ColumnType::Timestamp)]),
        0,
    )
    .await;
    assert_eq!(seen(&reader), Ok(vec![vec![Some("a".to_owned())]]));
    let belongs = session.query("SELECT relowner::regrole FROM pg_class WHERE relname = 'orders'");
    assert_eq!(belongs, [[Some(owner)]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_in_their_own_right_keep_it() {
    let Some((bench, [reader, stranger])) = with_roles(["reader", "stranger"]).await else {
        return;
    };
    let (store, session) = (&bench.store, bench.session());
    let first = begin(store, &orders("1.0.0")).await;
    let set = session.try_query("ALTER VIEW orders SET (security_invoker = true)");
    if set.is_err_and(|error| error.message.contains("unrecognized")) {
        return; // PostgreSQL before 15 has no such views.
    }
    session.run(&format!(
        "GRANT USAGE ON SCHEMA {} TO {reader}, {stranger}; \
         GRANT SELECT ON orders TO {reader}, {stranger}; \
         GRANT SELECT ON lantern_g{}_orders TO {reader}",
        super::bench::QUOTED,
        first.id
    ));
    next(store, &orders("2.0.0"), 1).await;
    for (role, may) in [(&reader, true), (&stranger, false)] {
        let session = bench.session();
        session.run(&format!("SET ROLE {role}"));
        let seen = session.try_query("SELECT id FROM orders");
        assert_eq!(seen.is_ok(), may, "{role}: {seen:?}");
    }
}

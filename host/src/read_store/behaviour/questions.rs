//! Questions by people.

use super::bench::*;
use crate::model::{ColumnType, Row, Value};
use crate::read_store::{Condition, Query, ReadStore};

pub(in crate::read_store) async fn conditions_and_order_are_followed(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    open.store(
        &puts([order("a", 2), order("b", 1), order("c", 2), order("d", 3)]),
        1,
    );
    let query = Query {
        order: vec![("total".into(), true)],
        limit: Some(3),
        ..asking("orders", &[])
    };
    let answer = store.query(&query).await.unwrap();
    assert_eq!(
        answer.rows,
        values([order("d", 3), order("a", 2), order("c", 2)])
    );
    assert_eq!(answer.table, orders("1.0.0").tables[0]);
    assert_eq!(
        found(store, "orders", &[("total", Some("2")), ("id", Some("c"))]).await,
        ["c"]
    );
}

pub(in crate::read_store) async fn values_are_compared_by_type(bench: &impl Bench) {
    use ColumnType as T;
    let store = bench.store();
    let columns = [
        ("yes", T::Boolean),
        ("price", T::Decimal),
        ("at", T::Timestamp),
        ("raw", T::Bytes),
    ];
    let mut columns = columns.to_vec();
    columns.push(("who", T::Uuid));
    let description = described("things", "1.0.0", &columns).check().unwrap();
    let thing = |id: &str, yes, price: &str, at, raw: &[u8]| Row {
        values: vec![
            text(id),
            Value::Bool(yes),
            text(price),
            Value::Integer(at),
            Value::Bytes(raw.into()),
            text("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ],
        ..Row::default()
    };
    let mut nothing = vec![text("c")];
    nothing.resize(6, Value::Null);
    let nothing = Row {
        values: nothing,
        ..Row::default()
    };
    let mut open = begin(store, &description).await;
    open.store(
        &puts([
            thing("a", true, "10.0", 1_000_000, &[255]),
            thing("b", false, "9.50", 0, &[]),
            nothing,
        ]),
        1,
    );
    for (column, equals, expected) in [
        ("yes", Some("true"), vec!["a"]),
        ("price", Some("10"), vec!["a"]),
        ("price", Some("9.5"), vec!["b"]),
        ("at", Some("1970-01-01T01:00:01+01:00"), vec!["a"]),
        ("raw", Some("FF"), vec!["a"]),
        ("raw", Some(""), vec!["b"]),
        (
            "who",
            Some("67E5504410B1426F9247BB680E5FE0C8"),
            vec!["a", "b"],
        ),
        ("who", None, vec!["c"]),
    ] {
        assert_eq!(
            found(store, "things", &[(column, equals)]).await,
            expected,
            "{column}"
        );
    }
    let by_price = Query {
        order: vec![("price".into(), true)],
        limit: Some(1),
        ..asking("things", &[])
    };
    assert_eq!(store.query(&by_price).await.unwrap().rows[0][0], text("a"));
}

pub(in crate::read_store) async fn a_bad_question_says_what_there_is(bench: &impl Bench) {
    let store = bench.store();
    let refused = async |query: &Query| store.query(query).await.unwrap_err().to_string();
    let message = refused(&asking("orders", &[])).await;
    assert_eq!(message, "there is no read model `orders`, nor any other");
    begin(store, &orders("1.0.0")).await;
    let message = refused(&asking("lantern_generations", &[])).await;
    assert_eq!(
        message,
        "there is no read model `lantern_generations`; there are: orders"
    );
    let message = refused(&asking("orders", &[("x\" OR 1=1 --", Some("1"))])).await;
    assert!(message.ends_with("it has: id, total"), "{message}");
    let message = refused(&asking("orders", &[("total", Some("many"))])).await;
    assert_eq!(
        message,
        "column `total` holds an integer, which `many` is not"
    );
    let unordered = Query {
        order: vec![("nope".into(), false)],
        ..asking("orders", &[])
    };
    assert!(refused(&unordered).await.contains("no column `nope`"));
}

fn asking(table: &str, conditions: &[(&str, Option<&str>)]) -> Query {
    let conditions = conditions.iter().map(|(column, equals)| Condition {
        column: (*column).into(),
        equals: equals.map(str::to_owned),
    });
    Query {
        table: table.into(),
        conditions: conditions.collect(),
        ..Query::default()
    }
}

/// The ids of the rows that fit.
async fn found(
    store: &dyn ReadStore,
    table: &str,
    conditions: &[(&str, Option<&str>)],
) -> Vec<String> {
    let answer = store.query(&asking(table, conditions)).await.unwrap();
    let id = |row: Vec<Value>| match &row[0] {
        Value::Text(id) => id.to_string(),
        other => panic!("{other:?} is not an id"),
    };
    answer.rows.into_iter().map(id).collect()
}

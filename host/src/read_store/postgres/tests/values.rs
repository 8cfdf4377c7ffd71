//! Rows: values at the edge of what the server takes, and how it keeps them.

use std::sync::Arc;

use super::bench::PostgresBench;
use crate::model::{Changes, ColumnType, Digest, Row, TableChanges, Value};
use crate::read_store::behaviour::bench::*;
use crate::read_store::behaviour::commits::guarded;
use crate::read_store::{ReadStore, StoreError};

const EVERY_TYPE: [(&str, ColumnType); 9] = [
    ("yes", ColumnType::Boolean),
    ("n", ColumnType::Integer),
    ("ratio", ColumnType::Float),
    ("price", ColumnType::Decimal),
    ("label", ColumnType::Text),
    ("raw", ColumnType::Bytes),
    ("at", ColumnType::Timestamp),
    ("who", ColumnType::Uuid),
    ("body", ColumnType::Json),
];

/// A failed question would end the transaction of an append, in which hints are
/// followed as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_has_a_key_that_cannot_be() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let mut open = begin(&bench.store, &orders("1.0.0")).await;
    open.store(&puts([order("a", 1), order("b", 2)]), 1);
    let tables = &orders("1.0.0").tables;
    let mut reader = bench.store.row_reader(open.id, tables).unwrap();
    let found = look_up(&mut *reader, &["a", "x\0", "b", "\0"]).unwrap();
    assert_eq!(
        found,
        [Some(order("a", 1)), None, Some(order("b", 2)), None]
    );
}

/// Rows of all types, some of their values at an edge, every seventh null.
fn rows_of_every_type(count: usize) -> Vec<Row> {
    let row = |i: usize| {
        let edge = |j: usize, edges: &[Value]| match (i + j) % 7 {
            0 => Value::Null,
            n => edges[n % edges.len()].clone(),
        };
        let number = i as i64;
        let values = vec![
            text(&format!("row {i:06}")),
            edge(0, &[Value::Bool(true), Value::Bool(false)]),
            edge(1, &[i64::MIN, number, i64::MAX].map(Value::Integer)),
            edge(
                2,
                &[f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324].map(Value::Float),
            ),
            edge(
                3,
                &[
                    "1.50",
                    "-0.00",
                    "0.0000000000000000000000000001",
                    "100000000",
                ]
                .map(text),
            ),
            edge(4, &["", "é\u{10ffff}", "\\N\t\n\"'{},"].map(text)),
            edge(5, &[Value::Bytes([].into()), Value::Bytes([0, 255].into())]),
            // The years 1, 1969 and 294247.
            edge(
                6,
                &[-62_135_596_800_000_000, -1, i64::MAX].map(Value::Integer),
            ),
            edge(7, &["00000000-0000-0000-0000-000000000000"].map(text)),
            edge(8, &["null", r#"{"a": [1, 2.50]}"#, "\"\\u00e9\""].map(text)),
        ];
        Row {
            values,
            version: if i.is_multiple_of(2) {
                u64::MAX
            } else {
                i as u64
            },
            deleted: i.is_multiple_of(5),
        }
    };
    (0..count).map(row).collect()
}

/// What is read of a row: a zero has no sign there, and a document is written the
/// server's way.
fn as_read(mut row: Row) -> Row {
    for value in &mut row.values {
        match value {
            Value::Text(shown) if &**shown == "-0.00" => *value = text("0.00"),
            Value::Text(shown) if &**shown == "\"\\u00e9\"" => *value = text("\"é\""),
            _ => {}
        }
    }
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_first_commit_stores_what_a_small_one_does() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    // Copied, put before there is a key, and put beside rows that are there.
    for (name, first, then) in [("copied", 1_500, 0), ("put", 100, 0), ("mixed", 1_500, 400)] {
        let description = guarded(described(name, "1.0.0", &EVERY_TYPE))
            .check()
            .unwrap();
        let rows = rows_of_every_type(first + then);
        let mut open = begin(store, &description).await;
        let (mut early, late) = rows.split_at(first);
        open.store(&puts(early.iter().cloned()), 1);
        if then > 0 {
            // Rows that are there are written over.
            let changed = early[..then]
                .iter()
                .cloned()
                .map(|row| Row { version: 77, ..row });
            open.store(&puts(changed.chain(late.iter().cloned())), 2);
            early = &early[then..];
        }
        let ids: Vec<String> = (0..first + then).map(|i| format!("row {i:06}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut reader = store.row_reader(open.id, &description.tables).unwrap();
        let found = look_up(&mut *reader, &ids).unwrap();
        let overwritten = rows[..then]
            .iter()
            .cloned()
            .map(|row| Row { version: 77, ..row });
        let expected = overwritten
            .chain(early.iter().cloned())
            .chain(late.iter().cloned());
        for (found, expected) in found.into_iter().zip(expected.map(as_read)) {
            assert_eq!(found, Some(expected), "{name}");
        }
        let shown = rows.iter().filter(|row| !row.deleted).count();
        let session = bench.session();
        let counted = session.query(&format!("SELECT count(*) FROM {name}"));
        assert_eq!(counted, [[Some(shown.to_string())]], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_cannot_hold_is_refused_by_the_name_of_its_table() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let mut raw = described("things", "1.0.0", &EVERY_TYPE);
    let mut other = raw.tables[0].clone();
    other.name = "others".into();
    raw.tables.push(other);
    let description = raw.check().unwrap();
    // Too long for a page of an index however it is packed.
    let noise: String = (0..200).map(|i| Digest::of(&[i]).0).collect();
    let bad = [
        (0, text("a\0b"), "invalid byte sequence"),
        (0, text(&noise), "index row"),
        (5, text("a\0b"), "invalid byte sequence"),
        (7, Value::Integer(i64::MIN), "out of range"),
        (9, text(r#"{"a":"\u0000"}"#), "Unicode"),
    ];
    let good = |id: &str| {
        let mut values = vec![Value::Null; 10];
        values[0] = text(id);
        Row {
            values,
            ..Row::default()
        }
    };
    let mut open = begin(store, &description).await;
    let mut last = 0;
    // Before there is a key, by a copy and by a put; then beside other rows.
    for (round, others) in [1_001, 1, 1].into_iter().enumerate() {
        for (column, value, reason) in &bad {
            let mut row = good("bad");
            row.values[*column] = value.clone();
            let rows = (1..others).map(|i| good(&format!("{i}"))).chain([row]);
            let refused = open.commit(&both(good("fine"), rows), last + 1);
            let Err(StoreError::Refused {
                table,
                reason: told,
            }) = &refused
            else {
                panic!("round {round}: {refused:?} is no refusal, {reason}");
            };
            assert_eq!(table, "others", "round {round}: {told}");
            assert!(told.contains(reason), "round {round}: {told}");
        }
        if round == 1 {
            // The writer is as good as before.
            open.store(&both(good("fine"), [good("fine")]), 1);
            last = 1;
        }
    }
    assert_eq!(rows(store, "others").await, values([good("fine")]));
}

fn both(first: Row, second: impl IntoIterator<Item = Row>) -> Changes {
    let of = |table, rows: Vec<Row>| TableChanges {
        table,
        puts: rows.into_iter().map(Arc::new).collect(),
        removes: Vec::new(),
    };
    Changes {
        tables: vec![of(0, vec![first]), of(1, second.into_iter().collect())],
        ..Changes::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_combination_of_tables_is_committed() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let store = &bench.store;
    let mut raw = described("t0", "1.0.0", &[("n", ColumnType::Integer)]);
    for i in 1..7 {
        let mut other = raw.tables[0].clone();
        other.name = format!("t{i}");
        raw.tables.push(other);
    }
    let mut open = begin(store, &raw.check().unwrap()).await;
    // More combinations than a writer keeps statements for.
    for mask in 1_u64..128 {
        let tables = (0..7).filter(|table| mask & (1 << table) != 0);
        let of = |table| TableChanges {
            table,
            puts: vec![Arc::new(order(&format!("{mask}"), mask as i64))],
            removes: vec![vec![text(&format!("{}", mask - 1))]],
        };
        let changes = Changes {
            tables: tables.map(of).collect(),
            ..Changes::default()
        };
        open.store(&changes, mask);
    }
    for table in 0..7_u64 {
        let here = |mask: &u64| mask & (1 << table) != 0;
        // A row stays unless the next commit came by here, too.
        let mut expected: Vec<String> = (1..128)
            .filter(here)
            .filter(|mask| !here(&(mask + 1)) || *mask == 127)
            .map(|mask| mask.to_string())
            .collect();
        expected.sort();
        let found = rows(store, &format!("t{table}")).await;
        let found: Vec<_> = found.into_iter().map(|row| row[0].clone()).collect();
        let expected: Vec<_> = expected.iter().map(|id| text(id)).collect();
        assert_eq!(found, expected, "t{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_keys_alone_is_kept() {
    let Some(bench) = PostgresBench::new().await else {
        return;
    };
    let description = described("seen", "1.0.0", &[]).check().unwrap();
    let mut open = begin(&bench.store, &description).await;
    let seen = |id: &str| Row {
        values: vec![text(id)],
        ..Row::default()
    };
    open.store(&puts([seen("a")]), 1);
    open.store(&puts([seen("a"), seen("b")]), 2);
    assert_eq!(
        rows(&bench.store, "seen").await,
        values([seen("a"), seen("b")])
    );
}

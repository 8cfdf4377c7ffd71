//! How answers look in each format.

use super::*;
use crate::model::Table;

#[test]
fn json_keeps_the_order_of_columns_and_embeds_json() {
    assert_eq!(
        as_json(&answer()).unwrap(),
        "[\n  {\"z\":\"a\\u001b,\\\"b\",\"n\":7,\"at\":\"1970-01-01T00:00:01.000Z\",\"sum\":\"1.10\",\"raw\":\"00ff\",\"doc\":{\"b\":1, \"a\":[2]}},\n  \
         {\"z\":\"\",\"n\":-1,\"at\":null,\"sum\":null,\"raw\":null,\"doc\":null}\n]\n"
    );
    assert_eq!(
        as_json(&Answer {
            rows: vec![],
            ..answer()
        })
        .unwrap(),
        "[]\n"
    );
}

#[test]
fn csv_quotes_and_leaves_null_empty() {
    assert_eq!(
        as_csv(&answer()).unwrap(),
        "z,n,at,sum,raw,doc\n\
         \"a\u{1b},\"\"b\",7,1970-01-01T00:00:01.000Z,1.10,00ff,\"{\"\"b\"\":1, \"\"a\"\":[2]}\"\n\
         ,-1,,,,\n"
    );
}

#[test]
fn a_table_shows_no_control_characters() {
    let text = as_table(&answer());
    assert!(
        text.contains(
            "a\\u{1b},\"b   7  1970-01-01T00:00:01.000Z  1.10  00ff  {\"b\":1, \"a\":[2]}"
        ),
        "{text}"
    );
}

fn answer() -> Answer {
    let columns = [
        ("z", ColumnType::Text),
        ("n", ColumnType::Integer),
        ("at", ColumnType::Timestamp),
        ("sum", ColumnType::Decimal),
        ("raw", ColumnType::Bytes),
        ("doc", ColumnType::Json),
    ];
    let columns = columns.map(|(name, column_type)| Column {
        name: name.into(),
        column_type,
        nullable: true,
    });
    let table = Table {
        name: "t".into(),
        columns: columns.into(),
        key: vec![0],
        indexes: vec![],
        stream_keyed: false,
        tenant_keyed: false,
        guarded: false,
    };
    let first = vec![
        Value::Text("a\u{1b},\"b".into()),
        Value::Integer(7),
        Value::Integer(1_000_000),
        Value::Text("1.10".into()),
        Value::Bytes([0, 255].into()),
        Value::Text("{\"b\":1, \"a\":[2]}".into()),
    ];
    let mut second = vec![Value::Null; 6];
    second[0] = Value::Text("".into());
    second[1] = Value::Integer(-1);
    Answer {
        table,
        rows: vec![first, second],
    }
}

//! Indexes a path that is made of the right characters and means nothing, so that no document
//! could be stored. Refused: "not of the form".
use misbehaving::{Add, Index, IndexColumn, IndexKind, Value, column, misbehave};

misbehave!(
    describes: |mut usual| {
        let path = Some("$.a[b.].]".into());
        let columns = vec![IndexColumn { column: "document".into(), path, descending: false }];
        usual.tables[0].indexes = vec![Index { columns, kind: IndexKind::Ordered }];
        usual
    },
    at_poison: |event, rows| rows.note_with(event, column::DOCUMENT, Value::Text(r#"{"a":[1]}"#))
);

//! Indexes a path that ends its quotes. Refused: "not of the form".
misbehaving::misbehave!(describes: |mut usual| {
    let path = Some("$.a') ; drop table lantern_projectors; --".into());
    let columns = vec![misbehaving::IndexColumn { column: "document".into(), path, descending: false }];
    usual.tables[0].indexes = vec![misbehaving::Index { columns, kind: misbehaving::IndexKind::Ordered }];
    usual
});

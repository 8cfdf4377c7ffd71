//! Declares an index of ten thousand columns, all the same. Refused.
misbehaving::misbehave!(describes: |mut usual| {
    let note = || misbehaving::IndexColumn { column: "note".into(), path: None, descending: true };
    let columns = (0..10_000).map(|_| note()).collect();
    usual.tables[0].indexes = vec![misbehaving::Index { columns, kind: misbehaving::IndexKind::Ordered }];
    usual
});

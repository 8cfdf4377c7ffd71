//! Has a key of floats. Refused: "no reliable equality".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].key = vec!["share".into()];
    usual.tables[0].columns[3].nullable = false;
    usual
});

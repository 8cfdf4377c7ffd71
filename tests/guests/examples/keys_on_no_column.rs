//! Has a key of a column that there is not, with a name of a megabyte. Refused: "is not declared".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].key = vec!["\u{1b}[2Jk".repeat(1 << 17)];
    usual
});

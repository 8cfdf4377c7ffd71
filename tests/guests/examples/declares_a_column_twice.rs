//! Declares a column twice. Refused: "declared twice".
misbehaving::misbehave!(describes: |mut usual| {
    let again = usual.tables[0].columns[1].clone();
    usual.tables[0].columns.push(again);
    usual
});

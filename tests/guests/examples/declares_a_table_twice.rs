//! Declares a table twice. Refused: "declared twice".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables.push(usual.tables[0].clone());
    usual
});

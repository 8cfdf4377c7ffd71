//! Declares ten thousand tables. Refused: "10000 tables".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables = (0..10_000)
        .map(|n| misbehaving::Table { name: format!("t{n}"), ..usual.tables[0].clone() })
        .collect();
    usual
});

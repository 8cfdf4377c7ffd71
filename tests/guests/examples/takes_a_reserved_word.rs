//! Calls its table `select`. Refused: "SQL reserves".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].name = "select".into();
    usual
});

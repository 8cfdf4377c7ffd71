//! Has a table that is called like those of the host. Refused: "kept for the host".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].name = "lantern_projectors".into();
    usual
});

//! Declares no table. Refused: "no table".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables.clear();
    usual
});

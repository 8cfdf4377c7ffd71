//! Has an empty name. Refused: "is empty".
misbehaving::misbehave!(describes: |mut usual| {
    usual.name.clear();
    usual
});

//! Has a version that is none. Refused: "not a semantic version".
misbehaving::misbehave!(describes: |mut usual| {
    usual.version = "the latest\u{1b}[2J".into();
    usual
});

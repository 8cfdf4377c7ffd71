//! Has a version that is sound but for its megabyte of build metadata. Refused: "not a semantic version".
misbehaving::misbehave!(describes: |mut usual| {
    usual.version = format!("1.0.0+{}", "a".repeat(1 << 20));
    usual
});

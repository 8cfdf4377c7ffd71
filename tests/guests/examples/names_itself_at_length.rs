//! Has a name of 10 kB. Refused: "10000 bytes".
misbehaving::misbehave!(describes: |mut usual| {
    usual.name = "n".repeat(10_000);
    usual
});

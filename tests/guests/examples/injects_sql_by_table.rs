//! Calls its table `"; drop table`. Refused: "must be a lower-case letter".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].name = "x\"; drop table lantern_projectors; --".into();
    usual
});

//! Calls a column `" text); drop table`. Refused: "must be a lower-case letter".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].columns[1].name = "x\" text); drop table lantern_events; --".into();
    usual
});

//! Declares the healthy neighbour's table as its own. Refused: "already belongs to".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].name = "order_totals".into();
    usual
});

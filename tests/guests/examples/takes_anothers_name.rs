//! Calls itself like the healthy neighbour. Refused: "already comes from".
misbehaving::misbehave!(describes: |mut usual| {
    usual.name = "order_totals".into();
    usual
});

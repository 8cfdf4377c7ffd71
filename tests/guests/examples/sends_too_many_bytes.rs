//! Sends more text than all that it may send. Stopped: "limits.sent_mib".
misbehaving::misbehave!(at_poison: |_, rows| rows.cells.texts = "x".repeat(17 << 20));

//! Wants streams that begin so.

test_projectors::subscriber!(
    subscribes_to_beginnings,
    "subscribes_to_beginnings",
    streams("process/*", "account/70")
);

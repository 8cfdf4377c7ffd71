//! Wants exactly one stream.

test_projectors::subscriber!(
    subscribes_to_a_stream,
    "subscribes_to_a_stream",
    streams("account/7")
);

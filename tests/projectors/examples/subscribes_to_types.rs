//! Wants events of some types.

test_projectors::subscriber!(
    subscribes_to_types,
    "subscribes_to_types",
    types("counter.increased", "other.*")
);

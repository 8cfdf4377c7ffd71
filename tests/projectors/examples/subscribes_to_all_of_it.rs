//! Wants events that match each of three lists.

test_projectors::subscriber!(
    subscribes_to_all_of_it,
    "subscribes_to_all_of_it",
    streams("process/*"),
    types("other.*"),
    tenants("eu")
);

//! Wants events of some tenants.

test_projectors::subscriber!(
    subscribes_to_tenants,
    "subscribes_to_tenants",
    tenants("eu", "us-*")
);

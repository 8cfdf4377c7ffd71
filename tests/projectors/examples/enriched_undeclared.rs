//! The same projector, but for its declarations.

test_projectors::enriched!();

//! The events that the tests' projectors count. Each projector is a cargo
//! example of this package, small enough to be read beside the test that uses it.

use lantern_sdk::Events;

/// What is counted.
#[derive(Events)]
pub enum Counting {
    /// A counter, which is the event's stream, went up.
    #[event("counter.increased")]
    Increased {
        /// By how much.
        by: i64,
        /// Whether a picky projector should stumble over it.
        #[serde(default)]
        poison: bool,
    },
}

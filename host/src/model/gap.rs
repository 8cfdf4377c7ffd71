//! Positions that were handed out and never used.

use serde::{Deserialize, Serialize};

use super::position::Position;
use super::time::Timestamp;

/// A run of positions that no event has, which a source went past after it had
/// made sure that none of them can appear any more.
///
/// A database hands out positions before the transactions that use them commit.
/// A position that is missing is therefore either late or, when its transaction
/// was rolled back, gone for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedGap {
    /// The first missing position.
    pub from: Position,
    /// The last missing position.
    pub to: Position,
    /// When it was first seen to be missing.
    pub seen_at: Timestamp,
    /// When it was passed.
    pub passed_at: Timestamp,
    /// What made sure, in one line.
    pub proof: String,
}

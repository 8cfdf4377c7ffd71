//! What a projector needs that runs within appends.

use super::Claim;
use crate::model::{Digest, WantedState};

/// How the live generation of a projector stands, locked until the transaction
/// that asked has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineStanding {
    /// The generation, as if it had been claimed: whoever has the lock may write
    /// as long as the transaction is open.
    pub claim: Claim,
    /// The component.
    pub digest: Digest,
    /// What the operator wants of the projector.
    pub wanted: WantedState,
    /// How many events of it are set aside.
    pub dead_letters: u64,
}

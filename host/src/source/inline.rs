//! What runs within an append, before it is committed.

use std::time::Duration;

use crate::model::{Envelope, EventFilter};
use crate::transaction::SharedTransaction;

use super::{EventReader, SourceError};

/// How long appends are kept waiting at most: see [`Source::hold_inline`]. Time
/// enough for what came in while the former round was read, and far less than an
/// append waits for a store that is busy.
///
/// [`Source::hold_inline`]: super::Source::hold_inline
pub const MOST_HELD: Duration = Duration::from_secs(1);

/// Keeps appends waiting as long as there is one, and not longer than
/// [`MOST_HELD`].
pub type Held = Box<dyn Send + Sync>;

/// An append whose events are in place and not yet committed.
pub trait OpenAppend: Sync {
    /// The transaction, for whoever writes in it, too.
    fn transaction(&self) -> SharedTransaction;

    /// Opens a reader of the log as the transaction sees it: what is committed,
    /// and the events of this append. To be used before the append ends.
    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError>;
}

/// Runs the inline projectors of a log. Appends are made one at a time while
/// there are any, so the calls come in turn: `run`, then `ended`.
pub trait InlineWork: Send + Sync {
    /// Brings the read models of these projectors up to the last event of the
    /// append. It blocks.
    ///
    /// # Errors
    ///
    /// [`SourceError::Inline`] when they cannot follow, or
    /// [`SourceError::Unavailable`] when they could on another try; the append is then
    /// taken back.
    fn run(&self, append: &dyn OpenAppend, projectors: &[String]) -> Result<(), SourceError>;

    /// Tells whether the transaction of the last `run` was committed. If nobody
    /// knows, as the answer was lost, it counts as not committed.
    fn ended(&self, committed: bool);
}

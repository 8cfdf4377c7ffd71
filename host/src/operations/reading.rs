//! Reads events for a question about them.

use super::error::OperationError;
use crate::model::{Checkpoint, EventBatch};
use crate::source::{EventReader, PageLimit, SourceError};

/// How much of the log is looked at in one go.
const PAGE: PageLimit = PageLimit {
    events: 8_192,
    bytes: 8 << 20,
};

/// Shows all events after a checkpoint to `look`, page by page, and gives its
/// last answer.
pub(super) async fn read_all<T: Send + 'static>(
    mut reader: Box<dyn EventReader>,
    after: Checkpoint,
    mut look: impl FnMut(&EventBatch) -> T + Send + 'static,
) -> Result<T, OperationError> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut at = after;
        loop {
            let page = reader.read(&at, PAGE)?;
            let answer = look(&page.events);
            if page.at_head {
                return Ok(answer);
            }
            at = page.checkpoint;
        }
    });
    let read: Result<T, SourceError> = match reading.await {
        Ok(read) => read,
        // Never aborted, so it can only have panicked: pass that on.
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    };
    Ok(read?)
}

//! What can go wrong with a source.

/// Why a source could not be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The database is locked, unreachable or full. Trying again may help.
    #[error("the event store cannot be used at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused what the host asked; trying again does not help.
    #[error("the event store failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stream is not at the version the appender expected.
    #[error("stream `{stream}` is at version {actual}, not at the expected {expected}")]
    WrongVersion {
        /// The stream.
        stream: String,
        /// The version it must have had.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// An event cannot be kept as it is.
    #[error("event `{id}` cannot be appended: {reason}")]
    InvalidEvent {
        /// The event.
        id: String,
        /// What is wrong.
        reason: String,
    },
}

impl SourceError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, SourceError::Unavailable(_))
    }
}

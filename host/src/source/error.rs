//! What can go wrong with a source.

use crate::model::Position;

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
    /// A stream has a hole: an event that must lie before one just read was not
    /// there when the reader came past its place.
    #[error(
        "stream `{stream}` has a hole: version {found} came at position {position}, where version \
         {expected} should be next"
    )]
    Hole {
        /// The stream.
        stream: String,
        /// The version that should have come.
        expected: u64,
        /// The version that came.
        found: u64,
        /// The position of the event that came.
        position: Position,
    },
    /// An event in the log cannot be understood.
    #[error("the event at position {position} cannot be read: {reason}")]
    Unreadable {
        /// Where it is.
        position: Position,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The source is only read: events are appended by somebody else.
    #[error("{0}")]
    ReadOnly(String),
    /// The source cannot be used as it is set up; the text says what to change.
    #[error("{0}")]
    Unfit(String),
    /// A projector that runs inline could not follow.
    #[error("an inline projector cannot follow")]
    Inline(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There are inline projectors, and nobody here who runs them.
    #[error(
        "appends to this log also run the inline projectors {}, and this program does not: append \
         through `lantern append` or the library's `Lantern`, or `lantern pause` them first",
        .0.join(", ")
    )]
    NotInline(Vec<String>),
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

//! Why a text is not an event that Lantern can keep.

use crate::model::TimestampError;

/// A text is not a CloudEvent, or not one that Lantern can keep.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCloudEvent {
    /// It is not a JSON object.
    #[error("it is not a JSON object: {0}")]
    NotAnObject(serde_json::Error),
    /// An attribute occurs twice.
    #[error("attribute `{0}` occurs twice")]
    Twice(String),
    /// A required attribute is missing or empty.
    #[error("attribute `{0}` is missing or empty")]
    Missing(&'static str),
    /// It has no subject, which CloudEvents allows and Lantern does not.
    #[error(
        "attribute `subject` is missing or empty; Lantern needs it, as the stream of the event"
    )]
    NoStream,
    /// An attribute is not of its type.
    #[error("attribute `{attribute}` must be {expected}")]
    WrongType {
        /// The attribute.
        attribute: String,
        /// What it must be.
        expected: &'static str,
    },
    /// It is of another version of CloudEvents.
    #[error("attribute `specversion` is `{0}`; only 1.0 can be read")]
    SpecVersion(String),
    /// The time is none.
    #[error("attribute `time`: {0}")]
    Time(TimestampError),
    /// The binary payload cannot be decoded.
    #[error("`data_base64` is not base64: {0}")]
    Base64(&'static str),
    /// There are two payloads.
    #[error("it has both `data` and `data_base64`")]
    TwoPayloads,
    /// An attribute's name is not allowed.
    #[error(
        "attribute `{0}` is unknown, and no extension: those have names of lower-case letters and digits only"
    )]
    ExtensionName(String),
}

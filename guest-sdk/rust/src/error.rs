//! Why an event could not be projected.

use std::fmt;

/// Why an event could not be projected, in words for the person who reads the
/// host's log.
///
/// `?` turns any [`std::error::Error`] into one; [`bail!`](crate::bail) makes
/// one from a text. The host adds which event it was.
#[derive(PartialEq, Eq)]
pub struct Error {
    message: String,
}

/// The result of projecting an event.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error that says `message`: a lowercase fragment without a full
    /// stop, as in "the order has no currency".
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// `Error` itself is no `std::error::Error`, or this would overlap with the
// identity conversion.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self { message }
    }
}

/// Returns an [`Error`] with a formatted message from the function around it.
///
/// ```
/// # use lantern_sdk::{Result, bail};
/// fn price(cents: i64) -> Result<i64> {
///     if cents < 0 {
///         bail!("a price of {cents} cents");
///     }
///     Ok(cents)
/// }
/// assert_eq!(price(-1).unwrap_err().to_string(), "a price of -1 cents");
/// ```
#[macro_export]
macro_rules! bail {
    ($($message:tt)*) => {
        return ::core::result::Result::Err($crate::Error::new(::core::format_args!($($message)*)))
    };
}

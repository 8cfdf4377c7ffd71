//! From a payload to a typed event.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// An event's payload, before it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    pub(crate) text: &'a str,
    pub(crate) binary: &'a [u8],
}

/// Why a payload is not what the projector's events say.
#[derive(Debug)]
pub struct PayloadError(PayloadErrorKind);

#[derive(Debug)]
enum PayloadErrorKind {
    Json(serde_json::Error),
    Binary(usize),
}

impl<'a> Payload<'a> {
    /// Reads the payload as JSON.
    ///
    /// # Errors
    ///
    /// Fails when it is binary, is no JSON, or does not fit the type.
    // From a `str`, not from bytes: those would be checked for UTF-8 again.
    #[inline]
    pub fn json<T: Deserialize<'a>>(self) -> Result<T, PayloadError> {
        if self.text.is_empty() && !self.binary.is_empty() {
            return Err(PayloadError(PayloadErrorKind::Binary(self.binary.len())));
        }
        serde_json::from_str(self.text).map_err(|e| PayloadError(PayloadErrorKind::Json(e)))
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PayloadErrorKind::Json(error) => error.fmt(f),
            PayloadErrorKind::Binary(length) => {
                write!(f, "expected JSON, found {length} bytes that are no text")
            }
        }
    }
}

/// Reads an optional text and borrows it where it can: serde itself borrows a
/// `Cow<str>` only where it stands alone.
///
/// # Errors
///
/// Fails when the value is neither null nor a text.
pub fn borrow_optional<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Optional;
    struct Text;

    impl<'de> Visitor<'de> for Optional {
        type Value = Option<Cow<'de, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or null")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
            inner.deserialize_str(Text).map(Some)
        }
    }

    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }

        fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text))
        }
    }

    deserializer.deserialize_option(Optional)
}

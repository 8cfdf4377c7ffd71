//! What both databases do about events that were set aside.

use super::error::StoreError;
use super::stored::{read_json, read_word};
use crate::model::{DeadLetter, DeadLetterChoice};

/// A choice, as conditions of which those that are `None` say nothing.
pub(super) struct Chosen<'a> {
    pub(super) position: Option<i64>,
    pub(super) tenant: Option<&'a str>,
    pub(super) stream: Option<&'a str>,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(choice: &'a DeadLetterChoice) -> Self {
        let none = Self {
            position: None,
            tenant: None,
            stream: None,
        };
        match choice {
            DeadLetterChoice::All => none,
            DeadLetterChoice::Stream { tenant, stream } => Self {
                tenant: tenant.as_deref(),
                stream: Some(stream),
                ..none
            },
            DeadLetterChoice::At(position) => Self {
                position: Some(position.0 as i64),
                ..none
            },
        }
    }
}

/// Reads a stored letter, and what is asked of it.
pub(super) fn read((letter, asked): (String, Option<String>)) -> Result<DeadLetter, StoreError> {
    let letter: DeadLetter = read_json(&letter)?;
    Ok(DeadLetter {
        asked: asked.as_deref().map(read_word).transpose()?,
        ..letter
    })
}

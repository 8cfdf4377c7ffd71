//! What the user wrote: `lantern.toml`.
//!
//! Tables and dotted keys mean the same, so a file is a list of dotted keys
//! with values. `[projectors.NAME.…]` has those of single projectors.

use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::field::Given;
use super::resolve::FileText;

/// One assignment in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// The dotted key.
    pub(super) key: String,
    pub(super) given: Given,
    /// The line it stands on, from 1.
    pub(super) line: usize,
}

/// Reads a file into its assignments, whatever their keys.
pub(super) fn parse(file: &FileText) -> Result<Vec<Written>, ConfigError> {
    let document = DeTable::parse(&file.text).map_err(|error| ConfigError::Syntax {
        path: file.path.clone(),
        line: line_of(&file.text, error.span().map_or(0, |span| span.start)),
        reason: error.message().replace('\n', ", "),
    })?;
    let mut written = Vec::new();
    flatten(&file.text, "", document.get_ref(), &mut written);
    written.sort_by_key(|assignment| assignment.line);
    Ok(written)
}

fn flatten(text: &str, prefix: &str, table: &DeTable<'_>, written: &mut Vec<Written>) {
    for (name, value) in table {
        let key = match prefix {
            "" => name.get_ref().to_string(),
            _ => format!("{prefix}.{}", name.get_ref()),
        };
        match value.get_ref() {
            // An empty table says nothing, but its name may be wrong.
            DeValue::Table(inner) if !inner.is_empty() => flatten(text, &key, inner, written),
            DeValue::Table(_) if is_section(&key) => {}
            other => written.push(Written {
                key,
                given: given(other, &text[value.span()]),
                line: line_of(text, name.span().start),
            }),
        }
    }
}

fn given(value: &DeValue<'_>, source: &str) -> Given {
    match value {
        DeValue::String(text) => Given::Quoted(text.to_string()),
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Given::Other(source.to_owned()), Given::Number),
        _ => Given::Other(source.chars().take(60).collect()),
    }
}

/// Whether some setting lies in this table.
fn is_section(name: &str) -> bool {
    let settings = super::defaults::SETTINGS;
    settings.iter().any(|setting| {
        setting
            .key
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

//! How an event store in PostgreSQL is set up.

use std::time::Duration;

use crate::source::{Durability, SourceError};

/// The longest schema name, in bytes. A channel is named after it, and names in
/// PostgreSQL have at most 63.
const MOST_SCHEMA_BYTES: usize = 48;

/// How an event store in PostgreSQL behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The schema that holds the log. It is made if there is none.
    pub schema: String,
    /// When an append counts as done. With [`Durability::Normal`] a crash of the
    /// database server may take the last appends, also such that projectors have
    /// seen already.
    pub durability: Durability,
    /// How long an append waits for a transaction that holds one of its streams,
    /// or for an import, before it gives up with [`SourceError::Unavailable`].
    pub busy_timeout: Duration,
    /// Reads up to the last position whatever is missing before it, so that late
    /// commits are never seen. Only for tests, to show what the lookout is for.
    pub gaps_ignored: bool,
}

impl Default for PostgresOptions {
    /// The schema `lantern_events`, full durability, and five seconds: long enough
    /// for any ordinary append of a neighbour, short enough for a caller that
    /// waits for an answer.
    fn default() -> Self {
        Self {
            schema: "lantern_events".into(),
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
            gaps_ignored: false,
        }
    }
}

/// The checked name of the schema, and what is called after it.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    name: String,
    quoted: String,
}

impl Schema {
    pub(super) fn new(name: &str) -> Result<Self, SourceError> {
        let is_fit = !name.is_empty() && name.len() <= MOST_SCHEMA_BYTES && !name.contains('\0');
        if !is_fit || name.starts_with("pg_") {
            return Err(SourceError::Unfit(format!(
                "`{}` cannot be the schema of an event log: choose a name of 1 to \
                 {MOST_SCHEMA_BYTES} bytes that does not begin with pg_",
                name.escape_default()
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            quoted: format!("\"{}\"", name.replace('"', "\"\"")),
        })
    }

    /// The name as it stands in SQL.
    pub(super) fn quoted(&self) -> &str {
        &self.quoted
    }

    /// A table, view, function or sequence of the schema.
    pub(super) fn of(&self, name: &str) -> String {
        format!("{}.{name}", self.quoted)
    }

    /// The statement that takes a turn at appending: see the function.
    pub(super) fn turn(&self, alone: bool) -> String {
        format!("SELECT {}.lantern_turn({alone})", self.quoted)
    }

    /// The channel on which appends are announced.
    pub(super) fn channel(&self) -> String {
        format!("{}.appended", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_quoted_and_checked() {
        let odd = Schema::new(r#"Team "A""#).unwrap();
        assert_eq!(odd.of("t"), r#""Team ""A""".t"#);
        for bad in ["", "pg_events", "a\0b", &"x".repeat(49)] {
            let error = Schema::new(bad).unwrap_err().to_string();
            assert!(error.contains("cannot be the schema"), "{error}");
        }
    }
}

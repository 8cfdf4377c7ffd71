//! Which names a projector may give to itself, its tables and its columns.

/// The longest name allowed, in bytes. PostgreSQL keeps 63 bytes of an
/// identifier; the host adds a prefix of up to 23 for its own tables.
const MAX_NAME_BYTES: usize = 40;

/// A name cannot be used for a projector, table or column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} name `{shown}` {reason}")]
pub struct InvalidName {
    what: &'static str,
    shown: String,
    reason: String,
}

/// Checks a name given by a projector: `[a-z][a-z0-9_]*`, at most 40 bytes, no
/// word that SQL reserves, not beginning with `lantern_` or `sqlite_`.
///
/// `what` says what the name is for (`"table"`), and stands in the error.
pub fn check_name(what: &'static str, name: &str) -> Result<(), InvalidName> {
    let refuse = |reason: &str| InvalidName {
        what,
        // A hostile name may be long or hold control characters; show a piece.
        shown: name
            .chars()
            .take(48)
            .flat_map(char::escape_default)
            .collect(),
        reason: reason.to_owned(),
    };
    if name.is_empty() {
        return Err(refuse("is empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(refuse(&format!(
            "has {} bytes; the longest allowed is {MAX_NAME_BYTES}",
            name.len()
        )));
    }
    let mut bytes = name.bytes();
    let starts_well = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
    if !starts_well || !bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(refuse(
            "must be a lower-case letter followed by lower-case letters, digits or `_`",
        ));
    }
    if name.starts_with("lantern_") || name.starts_with("sqlite_") || name.starts_with("pg_") {
        return Err(refuse(
            "begins with a prefix that is kept for the host or the database",
        ));
    }
    if is_reserved(name) {
        return Err(refuse("is a word that SQL reserves; choose another"));
    }
    Ok(())
}

/// Whether a word is reserved in SQLite or PostgreSQL, so that readers would
/// have to quote it.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// The words that SQLite 3.51 (<https://www.sqlite.org/lang_keywords.html>, those
/// its parser does not accept as a bare name) or PostgreSQL 15 (appendix C,
/// "reserved") refuse unquoted. Sorted.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused_with_the_reason() {
        for (name, part) in [
            ("", "is empty"),
            ("\"; drop table events; --", "must be a lower-case letter"),
            ("Orders", "must be a lower-case letter"),
            ("1st", "must be a lower-case letter"),
            ("select", "SQL reserves"),
            ("lantern_projectors", "kept for the host"),
            ("été", "must be a lower-case letter"),
        ] {
            let error = check_name("table", name).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let long = check_name("table", &"a".repeat(10_000))
            .unwrap_err()
            .to_string();
        assert!(long.len() < 200 && long.contains("10000 bytes"), "{long}");
        assert!(check_name("table", "order_summaries").is_ok());
    }

    #[test]
    fn the_reserved_words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }
}

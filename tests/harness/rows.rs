//! What a reader sees, who knows nothing of Lantern but the tables' names.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;

/// A reader of one SQLite file.
pub(crate) struct Reader(Connection);

impl Reader {
    /// Opens a file to read it. Nothing is waited for: a reader of Lantern's
    /// tables never has to.
    pub(crate) fn open(file: &Path) -> Self {
        let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
        conn.busy_timeout(std::time::Duration::ZERO)
            .expect("a time-out can be set");
        Self(conn)
    }

    /// The connection, for statements that are held on to.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }

    /// All rows of an answer, each as an array.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<Vec<Value>>, rusqlite::Error> {
        let mut statement = self.0.prepare(sql)?;
        let columns = statement.column_count();
        let rows =
            statement.query_map([], |row| (0..columns).map(|at| value(row, at)).collect())?;
        rows.collect()
    }

    /// A single value. Null when there is no row.
    pub(crate) fn value(&self, sql: &str) -> Result<Value, rusqlite::Error> {
        let rows = self.rows(sql)?;
        Ok(rows.into_iter().flatten().next().unwrap_or(Value::Null))
    }

    /// A single number; `None` when there is none, or no such table yet.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        self.value(sql).ok()?.as_i64()
    }
}

fn value(row: &Row<'_>, at: usize) -> Result<Value, rusqlite::Error> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => i.into(),
        ValueRef::Real(f) => f.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => bytes.to_vec().into(),
    })
}

/// Asserts that two arrays of rows are equal, and names the first row that is
/// not.
pub(crate) fn assert_rows(what: &str, found: &Value, expected: &Value) {
    let (Some(found), Some(expected)) = (found.as_array(), expected.as_array()) else {
        panic!("{what}: both must be arrays of rows");
    };
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{what}: row {i} is not as expected");
    }
    assert_eq!(
        found.len(),
        expected.len(),
        "{what}: there are more rows, or fewer"
    );
}

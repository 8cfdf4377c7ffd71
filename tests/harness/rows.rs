//! What a reader sees, who knows nothing of Lantern but the tables' names.

use std::path::Path;
use std::time::Duration;

use lantern_test_servers::{Session, TestDatabase};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;

/// A reader of one store: a connection of its own.
pub(crate) enum Reader {
    Sqlite(Connection),
    Postgres(Session),
}

/// The rows of an answer, each an array, or what the store says against it.
pub(crate) type Rows = Result<Vec<Vec<Value>>, String>;

impl Reader {
    /// Opens a file to read it. Nothing is waited for: a reader of Lantern's
    /// tables never has to.
    pub(crate) fn open(file: &Path) -> Self {
        let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
        conn.busy_timeout(Duration::ZERO)
            .expect("a time-out can be set");
        Self::Sqlite(conn)
    }

    /// Connects to a database to read the tables of a schema.
    pub(crate) fn connect(database: &TestDatabase, schema: &str) -> Result<Self, String> {
        let session = database.try_session();
        let connected = session.and_then(|session| {
            let settings =
                format!("SET search_path = \"{schema}\"; SET default_transaction_read_only = on");
            session.try_query(&settings)?;
            Ok(Self::Postgres(session))
        });
        connected.map_err(|error| error.to_string())
    }

    /// All rows of an answer, each as an array.
    pub(crate) fn rows(&self, sql: &str) -> Rows {
        match self {
            Self::Sqlite(connection) => {
                let prepared = connection.prepare(sql);
                let rows = prepared.and_then(|mut statement| all_rows(&mut statement));
                rows.map_err(|error| error.to_string())
            }
            Self::Postgres(session) => asked(session, sql),
        }
    }

    /// A single value. Null when there is no row.
    pub(crate) fn value(&self, sql: &str) -> Result<Value, String> {
        let rows = self.rows(sql)?;
        Ok(rows.into_iter().flatten().next().unwrap_or(Value::Null))
    }

    /// A single number; `None` when there is none, or no such table yet.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        self.value(sql).ok()?.as_i64()
    }

    /// A statement that is prepared once and asked again and again.
    pub(crate) fn hold(&self, sql: &str) -> Held<'_> {
        match self {
            Self::Sqlite(connection) => {
                let statement = connection.prepare(sql);
                Held::Sqlite(statement.expect("the statement can be prepared"))
            }
            Self::Postgres(session) => {
                session.run(&format!("PREPARE held AS {sql}"));
                Held::Postgres(session)
            }
        }
    }

    /// How many tables there are that end in a name, whatever stands before it.
    pub(crate) fn tables_like(&self, name: &str) -> i64 {
        let tables = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema",
            Self::Postgres(_) => {
                "SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            }
        };
        let sql = format!("SELECT count(*) FROM ({tables}) all_tables WHERE name LIKE '%{name}'");
        self.number(&sql).expect("every store lists its tables")
    }
}

/// A prepared statement of a reader.
pub(crate) enum Held<'a> {
    Sqlite(rusqlite::Statement<'a>),
    Postgres(&'a Session),
}

impl Held<'_> {
    /// All rows of the answer of this moment.
    pub(crate) fn ask(&mut self) -> Rows {
        match self {
            Self::Sqlite(statement) => all_rows(statement).map_err(|error| error.to_string()),
            Self::Postgres(session) => asked(session, "EXECUTE held"),
        }
    }
}

fn all_rows(statement: &mut rusqlite::Statement<'_>) -> Result<Vec<Vec<Value>>, rusqlite::Error> {
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| value(row, at)).collect())?;
    rows.collect()
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

fn asked(session: &Session, sql: &str) -> Rows {
    let answer = session.ask(sql).map_err(|error| error.to_string())?;
    let row = |row: Vec<Option<String>>| {
        let values = row.into_iter().zip(&answer.types);
        values.map(|(text, of)| typed(text, of)).collect()
    };
    Ok(answer.rows.into_iter().map(row).collect())
}

/// A value as SQLite would have given it: a sum of integers is an integer there,
/// and a numeric without a fraction here.
fn typed(text: Option<String>, of: &str) -> Value {
    let Some(text) = text else {
        return Value::Null;
    };
    let number = match of {
        "INT2" | "INT4" | "INT8" | "NUMERIC" => text.parse::<i64>().ok().map(Value::from),
        "FLOAT4" | "FLOAT8" => text.parse::<f64>().ok().map(Value::from),
        "BOOL" => Some(i64::from(text == "t").into()),
        _ => None,
    };
    number.unwrap_or(Value::String(text))
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

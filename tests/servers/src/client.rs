//! Talking to a server in plain SQL, blocking.

use std::fmt;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Row, TypeInfo, ValueRef};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

/// An answer: rows of columns, each as PostgreSQL writes it.
pub type Rows = Vec<Vec<Option<String>>>;

/// Rows, and what their columns are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Each column's type, such as `INT8` or `TEXT`; none when there are no rows.
    pub types: Vec<String>,
    /// The rows.
    pub rows: Rows,
}

/// How long a server may take to let one in.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The SQLSTATE, when the server answered.
    pub code: Option<String>,
    /// What was said.
    pub message: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        let from_server = error.as_database_error();
        Self {
            code: from_server.and_then(|error| Some(error.code()?.into_owned())),
            message: error.to_string(),
        }
    }
}

/// A connection that is kept, for transactions that stay open and locks that
/// stay held. It ends with the value.
#[derive(Debug)]
pub struct Session(Arc<Mutex<PgConnection>>);

impl Session {
    pub(crate) fn open(options: &PgConnectOptions) -> Result<Self, QueryError> {
        let options = options.clone();
        let connection = wait_for(async move {
            let connecting = options.connect();
            let connected = tokio::time::timeout(PATIENCE, connecting).await;
            connected.map_err(|_| sqlx::Error::PoolTimedOut)?
        })?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs statements, which must succeed. Several may stand in one text,
    /// separated by semicolons.
    ///
    /// # Panics
    ///
    /// When one of them fails.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.query(sql);
    }

    /// Asks something and gives all rows.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[track_caller]
    pub fn query(&self, sql: &str) -> Rows {
        must_succeed(sql, self.try_query(sql))
    }

    /// Asks something that may fail.
    ///
    /// # Errors
    ///
    /// What the server says, or that the connection is gone.
    pub fn try_query(&self, sql: &str) -> Result<Rows, QueryError> {
        Ok(self.ask(sql)?.rows)
    }

    /// Asks something that may fail, and gives the columns' types with the rows.
    ///
    /// # Errors
    ///
    /// What the server says, or that the connection is gone.
    pub fn ask(&self, sql: &str) -> Result<Answer, QueryError> {
        let (connection, sql) = (self.0.clone(), sql.to_owned());
        wait_for(async move {
            let mut connection = connection.lock().await;
            // The simple protocol: several statements, and every value as text.
            let statements = sqlx::raw_sql(AssertSqlSafe(sql));
            let rows = statements.fetch_all(&mut *connection).await?;
            Ok(Answer {
                types: rows.first().map(types).unwrap_or_default(),
                rows: rows.iter().map(texts).collect::<Result<_, _>>()?,
            })
        })
    }

    /// Begins a statement and does not wait for it, for one that will wait for a
    /// lock. The answer comes from the receiver.
    pub fn begin_query(&self, sql: &str) -> mpsc::Receiver<Result<Rows, QueryError>> {
        let (sender, receiver) = mpsc::channel();
        let (session, sql) = (Self(self.0.clone()), sql.to_owned());
        std::thread::spawn(move || {
            // The test may have lost interest.
            let _ = sender.send(session.try_query(&sql));
        });
        receiver
    }

    /// The server's process for this connection.
    ///
    /// # Panics
    ///
    /// When the connection is gone.
    pub fn pid(&self) -> i32 {
        let rows = self.query("SELECT pg_backend_pid()");
        let pid = rows.into_iter().flatten().flatten().next();
        let pid = pid.and_then(|pid| pid.parse().ok());
        pid.expect("every connection has a process")
    }
}

fn types(row: &PgRow) -> Vec<String> {
    let types = row.columns().iter().map(|column| column.type_info());
    types.map(|found| found.name().to_owned()).collect()
}

fn texts(row: &PgRow) -> Result<Vec<Option<String>>, sqlx::Error> {
    let columns = 0..row.len();
    let text = |column| {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(None);
        }
        let text = value.as_str().map_err(sqlx::Error::Decode)?;
        Ok(Some(text.to_owned()))
    };
    columns.map(text).collect()
}

#[track_caller]
pub(crate) fn must_succeed<T>(sql: &str, result: Result<T, QueryError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
}

/// Runs a statement on a connection of its own.
pub(crate) fn query_once(options: &PgConnectOptions, sql: &str) -> Result<Rows, QueryError> {
    let session = Session::open(options)?;
    let answer = session.try_query(sql);
    session.close();
    answer
}

impl Session {
    /// Says goodbye and waits for it, so that the server has forgotten the
    /// connection when the next statement runs.
    fn close(self) {
        if let Ok(connection) = Arc::try_unwrap(self.0) {
            // Closing is a courtesy.
            let _ = wait_for(connection.into_inner().close());
        }
    }
}

/// Waits for something that runs on this crate's own runtime, from any thread.
fn wait_for<T, F>(work: F) -> Result<T, QueryError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    runtime().spawn(async move {
        // Whoever asked is still there: they are waiting below.
        let _ = sender.send(work.await);
    });
    let result = receiver.recv().expect("the work does not panic");
    Ok(result?)
}

/// One small runtime for all. A runtime of the caller's must not be blocked,
/// and not every caller has one.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("test-servers")
            .enable_all()
            .build()
            .expect("a thread can be started")
    })
}

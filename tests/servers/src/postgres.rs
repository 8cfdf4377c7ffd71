//! A PostgreSQL server.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::client::{QueryError, Rows, Session, must_succeed, query_once};
use crate::database::TestDatabase;
use crate::process::Process;
use crate::shelter::Shelter;

/// How a server is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Whether commits wait for the disk; by default they do not. Off, a server that is killed still loses
    /// nothing, as the system keeps what was written; only a power cut would.
    pub fsync: bool,
    /// Settings as in `postgresql.conf`, over those that are set anyhow.
    pub settings: Vec<(String, String)>,
}

/// A server of this process's own. It ends with the value, and with the process
/// however that ends; its data goes too. Anybody may log in as the superuser
/// `postgres`.
#[derive(Debug)]
pub struct Postgres(Arc<Server>);

impl Postgres {
    /// The server that all tests of this process may share. `None`, after saying
    /// why, where PostgreSQL is not installed.
    ///
    /// # Panics
    ///
    /// When it is not installed and `LANTERN_REQUIRE_POSTGRES` is set; when it
    /// does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A server of the test's own, for tests that stop or kill it.
    ///
    /// # Panics
    ///
    /// As [`Postgres::shared`].
    pub fn start() -> Option<Self> {
        Self::start_with(&PostgresOptions::default())
    }

    /// A server that is set up in a certain way.
    ///
    /// # Panics
    ///
    /// As [`Postgres::shared`].
    pub fn start_with(options: &PostgresOptions) -> Option<Self> {
        let process = Process::start(settings(options))?;
        Some(Self(Arc::new(Server {
            dir: process.dir.clone(),
            port: process.port,
            process: Mutex::new(process),
            databases: AtomicU32::new(0),
        })))
    }

    /// A fresh database.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    #[track_caller]
    pub fn database(&self) -> TestDatabase {
        let n = self.0.databases.fetch_add(1, Ordering::Relaxed);
        TestDatabase::create(self.0.clone(), format!("lantern_test_{n}"))
    }

    /// Where a database of this server is, as `postgres://…`, over TCP.
    pub fn url(&self, database: &str) -> String {
        self.0.url(database)
    }

    /// The port on the loopback interface. It stays the same over restarts.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The folder of its Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.0.dir
    }

    /// Makes a folder beside the server's data that belongs to the server's
    /// account, for instance for a tablespace.
    ///
    /// # Panics
    ///
    /// When it is there already.
    pub fn make_dir(&self, name: &str) -> PathBuf {
        let dir = self.0.dir.join(name);
        std::fs::create_dir(&dir).expect("the server's folder can be written to");
        self.own(&dir);
        dir
    }

    /// Gives a folder to the server's account, for instance after something was
    /// mounted on it.
    pub fn own(&self, dir: &Path) {
        Shelter::of_process().account().own(dir);
    }

    /// The process of the postmaster, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.0.process().pid()
    }

    /// Ends it in good order: connections are cut, transactions rolled back, all
    /// is written.
    pub fn stop(&self) {
        self.0.process().stop();
    }

    /// Kills it with all its processes on the spot, as a crash of the machine
    /// would; only what was written stays.
    pub fn kill(&self) {
        self.0.process().kill();
    }

    /// Starts it again after [`Postgres::stop`] or [`Postgres::kill`], on the same
    /// data and port, and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// When it runs, or does not start.
    pub fn start_again(&self) {
        self.0.process().start_again();
    }

    /// Runs statements in a database, which must succeed.
    ///
    /// # Panics
    ///
    /// When one of them fails.
    #[track_caller]
    pub fn run_sql(&self, database: &str, sql: &str) -> Rows {
        must_succeed(sql, self.0.query(database, sql))
    }

    /// What it has logged since it was first started.
    pub fn log(&self) -> String {
        self.0.process().log()
    }
}

/// What a server and its databases share.
#[derive(Debug)]
pub(crate) struct Server {
    dir: PathBuf,
    port: u16,
    process: Mutex<Process>,
    databases: AtomicU32,
}

impl Server {
    fn process(&self) -> MutexGuard<'_, Process> {
        // A test that panicked meanwhile has left it stopped at worst.
        self.process
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn socket_url(&self, database: &str) -> String {
        let dir = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{dir}:{}/{database}", self.port)
    }

    pub(crate) fn query(&self, database: &str, sql: &str) -> Result<Rows, QueryError> {
        query_once(&self.options(database), sql)
    }

    pub(crate) fn session(&self, database: &str) -> Result<Session, QueryError> {
        Session::open(&self.options(database))
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.dir)
            .port(self.port)
            .username("postgres")
            .database(database)
            .ssl_mode(PgSslMode::Disable)
            .application_name("a test")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process().discard();
    }
}

/// All settings, the options' own last, as the last one counts.
fn settings(options: &PostgresOptions) -> Vec<(String, String)> {
    let on_or_off = if options.fsync { "on" } else { "off" };
    let ours = [
        ("fsync", on_or_off),
        ("full_page_writes", on_or_off),
        // Tests run side by side, each with pools and second terminals.
        ("max_connections", "200"),
        // For tests with transactions that outlive their connection.
        ("max_prepared_transactions", "10"),
        ("wal_level", "logical"),
        // In the data directory, so that a server that is killed leaves nothing behind.
        ("dynamic_shared_memory_type", "mmap"),
        ("log_line_prefix", "%m [%p] "),
        ("timezone", "UTC"),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ours.into_iter().chain(options.settings.clone()).collect()
}

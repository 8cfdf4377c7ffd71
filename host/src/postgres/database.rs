//! One database and its pool.

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

/// How a database is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// The most connections that this process opens to it.
    pub connections: u32,
    /// How long to wait for one of them, and for the server to answer a login.
    pub patience: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            // Most of them idle: a worker holds one only while it reads or commits.
            connections: 10,
            patience: Duration::from_secs(10),
        }
    }
}

/// How many of the connections are in use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// The database, as `host:port/name`.
    pub database: String,
    /// Open and at work.
    pub in_use: u32,
    /// Open, at work or idle.
    pub open: u32,
    /// The most there may be.
    pub budget: u32,
}

/// A database and its pool of connections. Cheap to clone; clones share the pool.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    connect: PgConnectOptions,
    budget: u32,
    runtime: tokio::runtime::Handle,
}

impl Database {
    /// Sets up the pool. No connection is made before one is needed. Call it
    /// within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the URL is not one of PostgreSQL.
    pub fn new(url: &str, options: &DatabaseOptions) -> Result<Self, sqlx::Error> {
        let connect = PgConnectOptions::from_str(url)?
            .application_name("lantern")
            // Statements are few for each projector, but there are many projectors.
            .statement_cache_capacity(500)
            // Else an index that takes long would be told as a slow statement.
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .min_connections(0)
            .acquire_timeout(options.patience)
            .idle_timeout(Duration::from_secs(300))
            // A ping before each use would double the round trips; a connection that
            // died shows it at its next statement, and every caller can repeat.
            .test_before_acquire(false)
            .connect_lazy_with(connect.clone());
        Ok(Self {
            pool,
            connect,
            budget: options.connections,
            runtime: tokio::runtime::Handle::current(),
        })
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to connect, for a connection that does not come from the pool, such as
    /// one that migrates with a search path of its own.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// Waits for something on a blocking thread.
    ///
    /// # Panics
    ///
    /// When called on a thread of the runtime that runs tasks.
    pub fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// The database as people know it: `host:port/name`, without the password.
    pub fn shown(&self) -> String {
        let name = self
            .connect
            .get_database()
            .unwrap_or_else(|| self.connect.get_username());
        match self.connect.get_socket() {
            Some(socket) => format!("{}/{name}", socket.display()),
            None => format!(
                "{}:{}/{name}",
                self.connect.get_host(),
                self.connect.get_port()
            ),
        }
    }

    /// How many connections are in use.
    pub fn usage(&self) -> Usage {
        let open = self.pool.size();
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        Usage {
            database: self.shown(),
            in_use: open.saturating_sub(idle),
            open,
            budget: self.budget,
        }
    }
}

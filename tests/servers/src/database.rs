//! A database for one test.

use std::sync::Arc;

use crate::client::{QueryError, Rows, Session, must_succeed};
use crate::postgres::Server;

/// A fresh, empty database, which is dropped with the value, whoever is still
/// connected to it.
#[derive(Debug)]
pub struct TestDatabase {
    server: Arc<Server>,
    name: String,
    url: String,
}

impl TestDatabase {
    pub(crate) fn create(server: Arc<Server>, name: String) -> Self {
        must_succeed(
            "CREATE DATABASE",
            server.query("postgres", &format!("CREATE DATABASE \"{name}\"")),
        );
        let url = server.url(&name);
        Self { server, name, url }
    }

    /// Where it is, as `postgres://…`, over TCP.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, by the Unix socket.
    pub fn socket_url(&self) -> String {
        self.server.socket_url(&self.name)
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
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

    /// Asks something and gives all rows, each value as PostgreSQL writes it.
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
    /// What the server says, or that it cannot be reached.
    pub fn try_query(&self, sql: &str) -> Result<Rows, QueryError> {
        self.server.query(&self.name, sql)
    }

    /// A connection that is kept.
    ///
    /// # Panics
    ///
    /// When the server does not let one in.
    #[track_caller]
    pub fn session(&self) -> Session {
        must_succeed("(connecting)", self.try_session())
    }

    /// A connection that is kept, if there can be one.
    ///
    /// # Errors
    ///
    /// When the server does not let one in.
    pub fn try_session(&self) -> Result<Session, QueryError> {
        self.server.session(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // A server that is down takes its databases with it in the end.
        let _ = self.server.query("postgres", &drop);
    }
}

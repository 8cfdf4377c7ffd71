//! One transaction that two rooms write to: an append, and the rows of the
//! projectors that run inline with it.
//!
//! The event store opens it, puts the events in, and is the only one to commit
//! it. The read store writes rows and checkpoints into it, and knows nothing of
//! events. Whoever holds a clone only borrows: the connection is locked for the
//! length of one use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::PgConnection;

use crate::postgres::Database;

/// An open transaction, by the database it is in.
#[derive(Clone)]
pub enum SharedTransaction {
    /// On this connection to a SQLite file.
    Sqlite(SharedConnection),
    /// On this connection to a PostgreSQL server.
    Postgres(PostgresTransaction),
}

/// A connection to a SQLite file with several users, one at a time.
#[derive(Clone)]
pub struct SharedConnection(Arc<Mutex<rusqlite::Connection>>);

impl SharedConnection {
    /// Shares a connection.
    pub fn new(connection: rusqlite::Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// The connection, when nobody else uses it.
    pub fn lock(&self) -> MutexGuard<'_, rusqlite::Connection> {
        // Whoever panicked has left a transaction open at the most, and who opened
        // it takes it back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection to a PostgreSQL server with a transaction open.
#[derive(Clone)]
pub struct PostgresTransaction(Arc<Open>);

struct Open {
    database: Database,
    connection: tokio::sync::Mutex<PgConnection>,
}

impl PostgresTransaction {
    /// Shares a connection that has a transaction open.
    pub fn new(database: Database, connection: PgConnection) -> Self {
        Self(Arc::new(Open {
            database,
            connection: tokio::sync::Mutex::new(connection),
        }))
    }

    /// The database it is in.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The connection, when nobody else uses it.
    pub async fn lock(&self) -> tokio::sync::MutexGuard<'_, PgConnection> {
        self.0.connection.lock().await
    }

    /// The connection, if nobody else has a clone any more.
    pub fn into_connection(self) -> Option<PgConnection> {
        Arc::into_inner(self.0).map(|open| open.connection.into_inner())
    }
}

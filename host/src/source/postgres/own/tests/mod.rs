//! The behaviour of every event store, on PostgreSQL; and what only PostgreSQL has.

mod concurrency;
mod function;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lantern_test_servers::{Postgres, TestDatabase};

use super::{PostgresEventStore, PostgresOptions};
use crate::model::PassedGap;
use crate::postgres::{Database, DatabaseOptions};
use crate::source::behaviour::{Bench, event_store_behaviour};
use crate::source::{EventStore, GapBook};

event_store_behaviour!(PostgresBench::new);

/// A database that goes away with the test, and a store in it.
struct PostgresBench {
    store: PostgresEventStore,
    database: TestDatabase,
}

/// Remembers nothing.
struct NoBook;

#[async_trait]
impl GapBook for NoBook {
    async fn write_down(
        &self,
        _gap: &PassedGap,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

impl PostgresBench {
    /// `None` where PostgreSQL is not installed.
    async fn new() -> Option<Self> {
        let database = Postgres::shared()?.database();
        let store = open(&database, PostgresOptions::default()).await;
        Some(Self { store, database })
    }
}

/// A handle with a pool of its own, as another process would have.
async fn open(database: &TestDatabase, options: PostgresOptions) -> PostgresEventStore {
    let database = Database::new(database.url(), &DatabaseOptions::default()).unwrap();
    let store = PostgresEventStore::open(database, options, Arc::new(NoBook)).await;
    store.unwrap()
}

#[async_trait]
impl Bench for PostgresBench {
    fn store(&self) -> &dyn EventStore {
        &self.store
    }

    async fn another(&self) -> Box<dyn EventStore> {
        Box::new(open(&self.database, PostgresOptions::default()).await)
    }

    async fn elsewhere(&self) -> Box<dyn EventStore> {
        let options = PostgresOptions {
            schema: "Else\"where".into(),
            ..PostgresOptions::default()
        };
        Box::new(open(&self.database, options).await)
    }

    async fn impatient(&self) -> Box<dyn EventStore> {
        let options = PostgresOptions {
            busy_timeout: Duration::from_millis(30),
            ..PostgresOptions::default()
        };
        Box::new(open(&self.database, options).await)
    }
}

//! What the tests work with: a schema in a database of its own.

use std::time::Duration;

use async_trait::async_trait;
use lantern_test_servers::{Postgres, Session, TestDatabase};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::runtime::Runtime;

use crate::postgres::{Database, DatabaseOptions};
use crate::read_store::behaviour::{Bench, Poller};
use crate::read_store::postgres::{PostgresOptions, PostgresReadStore};
use crate::read_store::{ReadStore, StoreError};

/// A schema whose name has to be quoted wherever it stands.
pub(super) const SCHEMA: &str = r#"Read "models""#;

/// That name, quoted.
pub(super) const QUOTED: &str = r#""Read ""models""""#;

pub(super) struct PostgresBench {
    pub(super) store: PostgresReadStore,
    pub(super) database: TestDatabase,
}

impl PostgresBench {
    /// None where PostgreSQL is not installed.
    pub(super) async fn new() -> Option<Self> {
        let database = Postgres::shared()?.database();
        let store = open(&database, options()).await.unwrap();
        Some(Self { store, database })
    }

    /// A store with settings of its own, as another host has it.
    pub(super) async fn open(&self, options: PostgresOptions) -> PostgresReadStore {
        open(&self.database, options).await.unwrap()
    }

    /// A stranger's connection, which finds the readers' names by themselves.
    pub(super) fn session(&self) -> Session {
        let session = self.database.session();
        session.run(&format!("SET search_path TO {QUOTED}"));
        session
    }
}

pub(super) fn options() -> PostgresOptions {
    PostgresOptions {
        schema: SCHEMA.into(),
        // Longer than a busy machine keeps a test waiting.
        lock_wait: Duration::from_secs(5),
        lease: Duration::from_secs(60),
        ..PostgresOptions::default()
    }
}

pub(super) async fn open(
    database: &TestDatabase,
    options: PostgresOptions,
) -> Result<PostgresReadStore, StoreError> {
    let pool = DatabaseOptions {
        // As few as may be: nobody who holds one may wait for another.
        connections: 2,
        ..DatabaseOptions::default()
    };
    PostgresReadStore::open(Database::new(database.url(), &pool).unwrap(), options).await
}

#[async_trait]
impl Bench for PostgresBench {
    fn store(&self) -> &dyn ReadStore {
        &self.store
    }

    async fn another(&self) -> Box<dyn ReadStore> {
        Box::new(self.open(options()).await)
    }

    async fn execute(&self, sql: &str) {
        self.session().run(sql);
    }

    fn find(&self, name: &str, words: &str) -> Result<Vec<String>, String> {
        let found = self.session().try_query(&format!(
            "SELECT id FROM {name} WHERE words @@ plainto_tsquery('simple', '{words}') ORDER BY id"
        ));
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.into_iter().flatten().flatten().collect())
    }

    async fn tables_of_texts(&self) -> i64 {
        let sql = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%USING gin%'";
        let counted = self.session().query(sql);
        let count = counted[0][0].as_deref().map(str::parse);
        count.unwrap().unwrap()
    }

    fn poller(&self) -> Box<dyn Poller> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let url = self.database.url().to_owned();
        let connect = async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let path = AssertSqlSafe(format!("SET search_path TO {QUOTED}"));
            sqlx::raw_sql(path).execute(&mut connection).await.unwrap();
            connection
        };
        let connection = apart(|| runtime.block_on(connect));
        Box::new(PreparedPoller {
            runtime: Some(runtime),
            connection,
        })
    }
}

/// Asks the same prepared statement again and again, as applications do.
struct PreparedPoller {
    runtime: Option<Runtime>,
    connection: PgConnection,
}

impl Poller for PreparedPoller {
    fn count_and_sum(&mut self, table: &str, column: &str) -> Result<(i64, i64), String> {
        let sql = AssertSqlSafe(format!(
            "SELECT count(*), coalesce(sum({column}), 0)::bigint FROM {table}"
        ));
        let ask = sqlx::query_as(sql).fetch_one(&mut self.connection);
        let runtime = self.runtime.as_ref().unwrap();
        apart(|| runtime.block_on(ask)).map_err(|error| error.to_string())
    }
}

impl Drop for PreparedPoller {
    fn drop(&mut self) {
        // Not waited for, as a test must not be.
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// Runs something that blocks where a runtime of the caller's cannot be in the
/// way.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

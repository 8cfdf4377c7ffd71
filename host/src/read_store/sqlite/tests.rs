//! The behaviour of every read store, on SQLite; and what only SQLite has.

use std::path::PathBuf;

use async_trait::async_trait;

use super::{SqliteOptions, SqliteReadStore};
use crate::read_store::behaviour::bench::{begin, guarded_labels, puts};
use crate::read_store::behaviour::{Bench, Poller, read_store_behaviour};
use crate::read_store::{ReadStore, StoreError};

read_store_behaviour!(fresh);

async fn fresh() -> Option<SqliteBench> {
    Some(SqliteBench::new().await)
}

struct SqliteBench {
    folder: tempfile::TempDir,
    store: SqliteReadStore,
}

impl SqliteBench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path().join("deep/down/read.db")).await.unwrap();
        Self { folder, store }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("deep/down/read.db")
    }

    fn connection(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .unwrap();
        connection
    }
}

async fn open(path: PathBuf) -> Result<SqliteReadStore, StoreError> {
    SqliteReadStore::open(path, SqliteOptions::default()).await
}

#[async_trait]
impl Bench for SqliteBench {
    fn store(&self) -> &dyn ReadStore {
        &self.store
    }

    async fn another(&self) -> Box<dyn ReadStore> {
        Box::new(open(self.file()).await.unwrap())
    }

    async fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    fn find(&self, name: &str, words: &str) -> Result<Vec<String>, String> {
        let find = || {
            let sql = format!("SELECT id FROM {name} WHERE words MATCH ? ORDER BY id");
            let connection = self.connection();
            let mut statement = connection.prepare(&sql)?;
            let ids = statement.query_map([words], |row| row.get(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<String>>>()?;
            // FTS5's own comparison of its words with the rows.
            let index = "SELECT name FROM sqlite_schema WHERE sql LIKE '%USING fts5%'";
            let mut indexes = connection.prepare(index)?;
            for index in indexes.query_map([], |row| row.get::<_, String>(0))? {
                let index = index?;
                if has_triggers(&connection, &index)? {
                    let check = format!(
                        "INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"
                    );
                    connection.execute(&check, [])?;
                }
            }
            Ok(ids)
        };
        find().map_err(|error: rusqlite::Error| error.to_string())
    }

    async fn tables_of_texts(&self) -> i64 {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'lantern_t[0-9]*'";
        let counted = self.connection().query_row(sql, [], |row| row.get(0));
        counted.unwrap()
    }

    fn poller(&self) -> Box<dyn Poller> {
        Box::new(self.connection())
    }
}

/// Whether an index follows its table by now.
fn has_triggers(connection: &rusqlite::Connection, index: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'trigger' AND name LIKE ?";
    connection.query_row(sql, [format!("{index}%")], |row| row.get(0))
}

impl Poller for rusqlite::Connection {
    fn count_and_sum(&mut self, table: &str, column: &str) -> Result<(i64, i64), String> {
        let sql = format!("SELECT count(*), coalesce(sum({column}), 0) FROM {table}");
        let counted = self.prepare_cached(&sql).and_then(|mut statement| {
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        });
        counted.map_err(|error| error.to_string())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_start_at_once_agree_on_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("read.db");
    let opening: Vec<_> = (0..6).map(|_| tokio::spawn(open(path.clone()))).collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_file_of_a_newer_lantern_is_not_touched() {
    let bench = SqliteBench::new().await;
    bench
        .execute("INSERT INTO lantern_read_migrations VALUES (999, 'later', 0, TRUE, x'00', 0)")
        .await;
    let error = open(bench.file()).await.err().unwrap();
    assert!(
        matches!(&error, StoreError::Unreadable(reason) if reason.contains("newer")),
        "{error:?}"
    );
}

#[tokio::test]
async fn readers_cannot_write_through_their_names() {
    let bench = SqliteBench::new().await;
    let description = crate::model::RawDescription {
        name: "orders".into(),
        version: "1.0.0".into(),
        tables: vec![crate::model::RawTable {
            name: "orders".into(),
            columns: vec![("id".into(), crate::model::ColumnType::Text, false)],
            key: vec!["id".into()],
            ..Default::default()
        }],
        ..Default::default()
    };
    let description = description.check().unwrap();
    bench
        .store
        .begin_generation(&description, &crate::model::Digest::of(b""), None)
        .await
        .unwrap();
    let written = bench
        .connection()
        .execute("INSERT INTO orders VALUES ('a')", []);
    assert!(written.unwrap_err().to_string().contains("view"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_has_no_tombstones_and_serves_a_tenants_readers() {
    let bench = SqliteBench::new().await;
    let mut open = begin(&bench.store, &guarded_labels()).await;
    open.store(&puts([]), 1);
    bench.store.build_indexes(open.id).await.unwrap();
    let connection = bench.connection();
    let index = format!("lantern_i{}_0_0", open.id);
    let asked = "SELECT sql FROM sqlite_schema WHERE name = ?";
    let made: String = connection
        .query_row(asked, [&index], |row| row.get(0))
        .unwrap();
    assert!(made.ends_with("WHERE \"lantern_deleted\" = 0"), "{made}");
    let plan = "EXPLAIN QUERY PLAN SELECT * FROM things \
                WHERE tenant = 't' AND label > 'x' ORDER BY label DESC";
    let mut plan = connection.prepare(plan).unwrap();
    let steps: Vec<String> = plan
        .query_map([], |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let found = format!("INDEX {index} (tenant=? AND label>?)");
    assert!(steps.len() == 1 && steps[0].contains(&found), "{steps:?}");
}

#[tokio::test]
async fn a_locked_file_is_tried_again_and_a_damaged_one_is_not() {
    let bench = SqliteBench::new().await;
    let options = SqliteOptions {
        busy_timeout: std::time::Duration::from_millis(10),
        ..SqliteOptions::default()
    };
    let impatient = SqliteReadStore::open(bench.file(), options).await.unwrap();
    let other = bench.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let name = crate::model::ProjectorName::new("orders").unwrap();
    assert!(
        impatient
            .drop_projector(&name)
            .await
            .unwrap_err()
            .is_transient()
    );

    let garbage = bench.folder.path().join("garbage.db");
    std::fs::write(&garbage, [7; 4096]).unwrap();
    let error = open(garbage).await.err().unwrap();
    assert!(matches!(error, StoreError::Broken(_)), "{error:?}");
}

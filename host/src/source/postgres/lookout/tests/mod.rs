//! The lookout on a real server.

mod gaps;
mod nets;
mod news;
mod starting;
mod torture;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lantern_test_servers::{Postgres, TestDatabase};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Gaps, LogTable, Lookout};
use crate::model::PassedGap;
use crate::postgres::{Database, DatabaseOptions};
use crate::source::{GapBook, SourceError};

const PROVE: Gaps = Gaps::Prove {
    grace: Duration::ZERO,
};

/// A log of events, and what was written down about it.
struct Log {
    test: TestDatabase,
    database: Database,
    book: Arc<Book>,
}

impl Log {
    /// A fresh, empty log; `None` where there is no PostgreSQL.
    async fn new() -> Option<Self> {
        let test = Postgres::shared()?.database();
        let database = Database::new(test.url(), &DatabaseOptions::default()).unwrap();
        let log = Self {
            test,
            database,
            book: Arc::default(),
        };
        let mut writer = log.writer().await;
        writer.run("CREATE SCHEMA log").await;
        writer
            .run("CREATE TABLE log.events (position bigserial PRIMARY KEY, note text)")
            .await;
        Some(log)
    }

    fn table(&self, gaps: Gaps) -> LogTable {
        LogTable {
            from: "log.events".into(),
            position: "position".into(),
            has_index: true,
            relations: vec!["log.events".into(), "log.events_position_seq".into()],
            gaps,
            channel: Some("log news".into()),
        }
    }

    async fn lookout(&self) -> Lookout {
        self.try_lookout(self.table(PROVE)).await.unwrap()
    }

    async fn try_lookout(&self, table: LogTable) -> Result<Lookout, SourceError> {
        let book = Arc::clone(&self.book) as Arc<dyn GapBook>;
        Lookout::start(self.database.clone(), table, book).await
    }

    /// A session that writes.
    async fn writer(&self) -> Writer {
        Writer(PgConnection::connect(self.test.url()).await.unwrap())
    }

    fn passed(&self) -> Vec<(u64, u64)> {
        let gaps = self.book.gaps.lock().unwrap();
        gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect()
    }
}

struct Writer(PgConnection);

impl Writer {
    async fn run(&mut self, sql: &str) {
        self.try_run(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn try_run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut self.0).await.map(|_| ())
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql)
            .fetch_one(&mut self.0)
            .await
            .unwrap()
    }

    /// Appends one event, in the open transaction or in one of its own.
    async fn append(&mut self) -> u64 {
        self.number("INSERT INTO log.events (note) VALUES ('') RETURNING position")
            .await as u64
    }

    /// The positions after one and up to another.
    async fn positions(&mut self, after: u64, to: u64) -> Vec<i64> {
        let sql = "SELECT position FROM log.events WHERE position > $1 AND position <= $2 \
                   ORDER BY 1";
        let query = sqlx::query_scalar(sql).bind(after as i64).bind(to as i64);
        query.fetch_all(&mut self.0).await.unwrap()
    }

    async fn pid(&mut self) -> i64 {
        self.number("SELECT pg_backend_pid()::bigint").await
    }
}

/// Remembers gaps in memory, unless it fails.
#[derive(Default)]
struct Book {
    gaps: Mutex<Vec<PassedGap>>,
    is_failing: AtomicBool,
}

#[async_trait]
impl GapBook for Book {
    async fn write_down(
        &self,
        gap: &PassedGap,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.is_failing.load(Ordering::Relaxed) {
            return Err("the book is closed".into());
        }
        self.gaps.lock().unwrap().push(gap.clone());
        Ok(())
    }
}

/// Looks, and returns the mark.
async fn look(lookout: &Lookout) -> u64 {
    let mark = lookout.look().await.unwrap();
    assert_eq!(mark, lookout.mark());
    mark.0
}

//! The table as a source, which hands the work to others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use super::mapping::{GapRule, TableMapping};
use super::read::TableReader;
use super::survey::Survey;
use super::trouble::failed;
use crate::model::{Checkpoint, Envelope, Event, EventFilter};
use crate::postgres::Database;
use crate::source::postgres::lookout::{Gaps, LogTable, Lookout};
use crate::source::{
    Appended, EventImport, EventReader, EventStore, ExpectedVersion, GapBook, Source, SourceError,
    StreamInfo,
};

/// A table of events that somebody else appends to. It is only read.
pub struct TableSource {
    database: Database,
    survey: Arc<Survey>,
    lookout: Arc<Lookout>,
    is_followed: Arc<AtomicBool>,
}

impl TableSource {
    /// Opens a table, after checking that it is as the mapping says.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unfit`] when it is not; the text names the setting.
    pub async fn open(
        database: Database,
        mapping: TableMapping,
        book: Arc<dyn GapBook>,
    ) -> Result<Self, SourceError> {
        let mut conn = database.pool().acquire().await.map_err(failed)?;
        let survey = Survey::take(&mut conn, &mapping).await;
        drop(conn);
        let survey = survey?;
        for warning in &survey.warnings {
            tracing::warn!(table = survey.shown, "{warning}");
        }
        let log = LogTable {
            from: survey.from.clone(),
            position: survey.position.sql.clone(),
            has_index: survey.has_index,
            relations: survey.relations.clone(),
            gaps: match mapping.gaps {
                GapRule::Prove => Gaps::Prove {
                    grace: mapping.grace,
                },
                GapRule::Ignore => Gaps::Ignore,
            },
            channel: mapping.channel.filter(|name| !name.is_empty()),
        };
        let lookout = Lookout::start(database.clone(), log, book).await?;
        Ok(Self {
            database,
            survey: Arc::new(survey),
            lookout: Arc::new(lookout),
            is_followed: Arc::default(),
        })
    }

    fn read_only(&self) -> SourceError {
        SourceError::ReadOnly(format!(
            "events are appended to {} by the application that owns it, and Lantern only reads \
             them: append there; to append here, use an event store of Lantern's own (no \
             `event_store.preset`)",
            self.survey.shown
        ))
    }
}

#[async_trait]
impl Source for TableSource {
    async fn head(&self) -> Result<Checkpoint, SourceError> {
        self.lookout.head().await
    }

    fn news(&self) -> watch::Receiver<Checkpoint> {
        self.is_followed.store(true, Ordering::Relaxed);
        self.lookout.subscribe()
    }

    fn held_back(&self) -> Option<String> {
        self.lookout.held_back()
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        Ok(Box::new(TableReader::new(
            self.database.clone(),
            Arc::clone(&self.lookout),
            Arc::clone(&self.is_followed),
            Arc::clone(&self.survey),
            (filter, needs),
        )))
    }
}

#[async_trait]
impl EventStore for TableSource {
    async fn append(
        &self,
        _events: Vec<Event>,
        _expected: Vec<ExpectedVersion>,
    ) -> Result<Appended, SourceError> {
        Err(self.read_only())
    }

    async fn import(&self) -> Result<Box<dyn EventImport>, SourceError> {
        Err(self.read_only())
    }

    async fn streams(&self, prefix: &str, limit: usize) -> Result<Vec<StreamInfo>, SourceError> {
        let survey = &*self.survey;
        let (Some(stream), Some(version)) = (&survey.stream, &survey.version) else {
            return Err(SourceError::Unfit(
                "streams can be listed when `event_store.stream` and `event_store.version` are set"
                    .to_owned(),
            ));
        };
        // The versions of a table whose events may be deleted are not counted.
        let sql = format!(
            "SELECT {stream}::text COLLATE \"C\", coalesce({tenant}::text, '') COLLATE \"C\", \
             (max({version}) - {before})::bigint FROM {from} \
             WHERE starts_with({stream}::text, $1) AND {filter} \
             GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $2",
            stream = stream.sql,
            tenant = survey.tenant.as_ref().map_or("''", |part| &part.sql),
            version = version.sql,
            before = survey.first_version as i64 - 1,
            from = survey.from,
            filter = survey.filter.as_deref().unwrap_or("true"),
        );
        let found: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(prefix)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let info = |(stream, tenant, version): (String, String, i64)| StreamInfo {
            tenant,
            stream,
            version: version.max(0) as u64,
        };
        Ok(found.into_iter().map(info).collect())
    }
}

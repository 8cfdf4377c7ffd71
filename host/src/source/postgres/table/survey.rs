//! Whether a mapping is true of the database: asked once, at the opening.

use sqlx::postgres::{PgConnection, PgTypeInfo};
use sqlx::{AssertSqlSafe, Column, Connection, Executor, Row, SqlSafeStr, Statement, TypeInfo};

use super::kinds::{Body, Kind, Name, Time, Whole, advice};
use super::mapping::TableMapping;
use super::relations::{self, Relation};
use super::trouble::{blamed, failed, unfit};
use crate::source::SourceError;

/// A part of an event: where it comes from, and what that is.
#[derive(Debug, Clone)]
pub(super) struct Part<K> {
    /// SQL in parentheses.
    pub(super) sql: String,
    pub(super) kind: K,
}

/// A mapping that was found to be true.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// The table as people know it.
    pub(super) shown: String,
    /// SQL after FROM.
    pub(super) from: String,
    /// Table and sequences, quoted, with their schemas.
    pub(super) relations: Vec<String>,
    pub(super) position: Part<Whole>,
    pub(super) stream: Option<Part<Name>>,
    pub(super) version: Option<Part<Whole>>,
    pub(super) event_type: Part<Name>,
    pub(super) id: Option<Part<Name>>,
    pub(super) tenant: Option<Part<Name>>,
    pub(super) time: Option<Part<Time>>,
    pub(super) data: Part<Body>,
    pub(super) metadata: Option<Part<Body>>,
    /// SQL in parentheses.
    pub(super) filter: Option<String>,
    pub(super) first_version: u64,
    /// What works, but not well; with what to do.
    pub(super) warnings: Vec<String>,
    /// Whether an index begins with the position.
    pub(super) has_index: bool,
}

impl Survey {
    /// Checks a mapping.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unfit`] names the setting that is wrong and what to do.
    pub(super) async fn take(
        conn: &mut PgConnection,
        mapping: &TableMapping,
    ) -> Result<Self, SourceError> {
        let table = wanted("table", mapping.table.as_ref(), mapping)?;
        let position = wanted("position", mapping.position.as_ref(), mapping)?;
        let from = relations::from_clause(conn, table).await?;
        let (relation, column) =
            relations::of_position(conn, &from, position, mapping.gaps).await?;
        let mut names = vec![relation.name.clone()];
        names.extend(relations::sequences(conn, mapping, &relation, column).await?);

        let metadata = match &mapping.metadata {
            Some(said) => Some(said.clone()),
            None => gathered(conn, mapping, &relation).await?,
        };
        let mut ask = Ask {
            conn: &mut *conn,
            from: &from,
        };
        let mut survey = Self {
            position: ask.part("position", position).await?,
            stream: ask.optional("stream", mapping.stream.as_ref()).await?,
            version: ask.optional("version", mapping.version.as_ref()).await?,
            event_type: {
                let said = wanted("type", mapping.event_type.as_ref(), mapping)?;
                ask.part("type", said).await?
            },
            id: ask.optional("id", mapping.id.as_ref()).await?,
            tenant: ask.optional("tenant", mapping.tenant.as_ref()).await?,
            time: ask.optional("time", mapping.time.as_ref()).await?,
            data: {
                let said = wanted("data", mapping.data.as_ref(), mapping)?;
                ask.part("data", said).await?
            },
            metadata: ask.optional("metadata", metadata.as_ref()).await?,
            filter: ask.condition(mapping.filter.as_ref()).await?,
            first_version: mapping.first_version,
            shown: relation.name.clone(),
            relations: names,
            warnings: Vec::new(),
            has_index: false,
            from,
        };
        survey.check_reading(conn, position).await?;
        Ok(survey)
    }

    /// Whether the rows may be read, in order, by an index, and count from 1.
    async fn check_reading(
        &mut self,
        conn: &mut PgConnection,
        position: &str,
    ) -> Result<(), SourceError> {
        let rights = self.event_sql("LIMIT 0");
        sqlx::query(AssertSqlSafe(rights))
            .fetch_optional(&mut *conn)
            .await
            .map_err(failed)?;
        self.has_index = self.is_indexed(conn).await?;
        if !self.has_index {
            self.warnings.push(format!(
                "no index of {table} begins with {position}, so every page of events reads the \
                 whole table; make one: CREATE INDEX CONCURRENTLY ON {table} ({position}) \
                 (without CONCURRENTLY where the table is partitioned)",
                table = self.shown,
                position = position.rsplit('.').next().unwrap_or(position),
            ));
            return Ok(());
        }
        let first = format!(
            "SELECT {p}::bigint FROM {f} WHERE {p} < 1 LIMIT 1",
            p = self.position.sql,
            f = self.from,
        );
        let early: Option<i64> = sqlx::query_scalar(AssertSqlSafe(first))
            .fetch_optional(conn)
            .await
            .map_err(failed)?;
        match early {
            None => Ok(()),
            Some(found) => Err(unfit(format!(
                "{} has an event at position {found}, but positions count from 1, and 0 means \
                 before the first; such events would never be read",
                self.shown
            ))),
        }
    }

    /// Whether the events can be had in order without sorting them. A plan that
    /// sorts although it should not shows that no index gives the order.
    async fn is_indexed(&self, conn: &mut PgConnection) -> Result<bool, SourceError> {
        let explain = format!(
            "EXPLAIN SELECT 1 FROM {f} WHERE {p} > 1 ORDER BY {p} LIMIT 1",
            f = self.from,
            p = self.position.sql,
        );
        let mut alone = conn.begin().await.map_err(failed)?;
        alone
            .execute("SET LOCAL enable_sort = off")
            .await
            .map_err(failed)?;
        alone
            .execute("SET LOCAL enable_seqscan = off")
            .await
            .map_err(failed)?;
        let plan = sqlx::query(AssertSqlSafe(explain))
            .fetch_all(&mut *alone)
            .await
            .map_err(failed)?;
        alone.rollback().await.map_err(failed)?;
        for row in &plan {
            let line: &str = row.try_get(0).map_err(failed)?;
            let node = line.trim_start().trim_start_matches("->").trim_start();
            if node.starts_with("Sort  (") || node.starts_with("Incremental Sort  (") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A statement that touches every column that may be read.
    fn event_sql(&self, end: &str) -> String {
        let parts = [
            Some(&self.position.sql),
            self.stream.as_ref().map(|part| &part.sql),
            self.version.as_ref().map(|part| &part.sql),
            Some(&self.event_type.sql),
            self.id.as_ref().map(|part| &part.sql),
            self.tenant.as_ref().map(|part| &part.sql),
            self.time.as_ref().map(|part| &part.sql),
            Some(&self.data.sql),
            self.metadata.as_ref().map(|part| &part.sql),
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let filter = self.filter.as_deref().unwrap_or("true");
        format!(
            "SELECT {} FROM {} WHERE {filter} {end}",
            parts.join(", "),
            self.from
        )
    }
}

/// Asks the database what expressions are.
struct Ask<'a> {
    conn: &'a mut PgConnection,
    from: &'a str,
}

impl Ask<'_> {
    async fn part<K: Kind>(&mut self, setting: &str, said: &str) -> Result<Part<K>, SourceError> {
        let found = self.type_of(setting, said).await?;
        match K::of(&found) {
            Some(kind) => Ok(Part {
                sql: format!("({said})"),
                kind,
            }),
            None => Err(unfit(format!(
                "`event_store.{setting}` is `{said}`, which is of type {}; it must be {}: {}",
                found.name().to_ascii_lowercase(),
                K::WANTED,
                advice::<K>(&found, said)
            ))),
        }
    }

    async fn optional<K: Kind>(
        &mut self,
        setting: &str,
        said: Option<&String>,
    ) -> Result<Option<Part<K>>, SourceError> {
        match said.filter(|text| !text.is_empty()) {
            Some(said) => self.part(setting, said).await.map(Some),
            None => Ok(None),
        }
    }

    async fn condition(&mut self, said: Option<&String>) -> Result<Option<String>, SourceError> {
        let Some(said) = said.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let found = self.type_of("filter", said).await?;
        if found.name().eq_ignore_ascii_case("bool") {
            return Ok(Some(format!("({said})")));
        }
        Err(unfit(format!(
            "`event_store.filter` is `{said}`, which is of type {}; it must be a condition",
            found.name().to_ascii_lowercase()
        )))
    }

    async fn type_of(&mut self, setting: &str, said: &str) -> Result<PgTypeInfo, SourceError> {
        let sql = format!("SELECT ({said}) FROM {}", self.from);
        let statement = self
            .conn
            .prepare(AssertSqlSafe(sql).into_sql_str())
            .await
            .map_err(|error| blamed(&format!("event_store.{setting}"), said, error))?;
        Ok(statement.columns()[0].type_info().clone())
    }
}

fn wanted<'a>(
    setting: &str,
    said: Option<&'a String>,
    mapping: &TableMapping,
) -> Result<&'a str, SourceError> {
    let said = said.filter(|text| !text.is_empty());
    said.map(String::as_str).ok_or_else(|| {
        let hint = match (mapping.name, setting) {
            ("eventsourcing", "table") => {
                ": the library names the table after the application, such as \
                 public.school_events for the application School"
            }
            _ => ": say which it is",
        };
        unfit(format!(
            "`event_store.{setting}` is not set, and the preset `{}` does not know it{hint}",
            mapping.name
        ))
    })
}

/// Metadata from the columns that are there, as an object.
async fn gathered(
    conn: &mut PgConnection,
    mapping: &TableMapping,
    table: &Relation,
) -> Result<Option<String>, SourceError> {
    if mapping.metadata_columns.is_empty() {
        return Ok(None);
    }
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute \
         WHERE attrelid = $1 AND attname = ANY($2) AND attnum > 0 AND NOT attisdropped \
         ORDER BY array_position($2, attname::text)",
    )
    .bind(table.oid)
    .bind(mapping.metadata_columns)
    .fetch_all(conn)
    .await
    .map_err(failed)?;
    let pairs: Vec<String> = there
        .iter()
        .map(|name| format!("'{name}', {name}"))
        .collect();
    Ok((!pairs.is_empty())
        .then(|| format!("json_strip_nulls(json_build_object({}))", pairs.join(", "))))
}

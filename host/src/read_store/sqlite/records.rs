//! Reads what is recorded about projectors and generations.

use sqlx::{SqliteConnection, SqlitePool};

use super::error::failed;
use crate::model::{
    Checkpoint, Digest, Generation, GenerationId, GenerationState, Position, ProjectorName,
    ProjectorRecord, Timestamp, WantedState,
};
use crate::read_store::StoreError;
use crate::read_store::stored::{read_count, read_json, read_scope, read_word};

/// Selects the columns of a `GenerationRow`.
macro_rules! generations {
    ($which:literal) => {
        concat!(
            "SELECT id, projector, state, indexes, digest, created_at, live_at, failure, description, \
             asked, scope, took_over, (SELECT count(*) FROM lantern_dead_letters WHERE generation = id) AS dead_letters, \
             (SELECT count(*) FROM lantern_waiting WHERE generation = id AND NOT given_up) AS waiting, \
             (SELECT min(position) FROM lantern_waiting WHERE generation = id AND NOT given_up) \
             AS oldest FROM lantern_generations ",
            $which
        )
    };
}

/// All projectors with their generations, in name order.
pub(super) async fn projectors(
    conn: &mut SqliteConnection,
) -> Result<Vec<ProjectorRecord>, StoreError> {
    let stored: Vec<ProjectorRow> = sqlx::query_as(
        "SELECT name, wanted, file, file_host, file_digest FROM lantern_projectors ORDER BY name",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(failed)?;
    let mut records = stored
        .into_iter()
        .map(ProjectorRow::read)
        .collect::<Result<Vec<_>, _>>()?;
    let generations: Vec<GenerationRow> = sqlx::query_as(generations!("ORDER BY id"))
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    for row in generations {
        let (name, generation) = row.read(conn).await?;
        if let Some(record) = records.iter_mut().find(|record| record.name == name) {
            record.generations.push(generation);
        }
    }
    Ok(records)
}

/// One projector with its generations.
pub(super) async fn projector(
    conn: &mut SqliteConnection,
    name: &ProjectorName,
) -> Result<Option<ProjectorRecord>, StoreError> {
    let stored: Option<ProjectorRow> = sqlx::query_as(
        "SELECT name, wanted, file, file_host, file_digest FROM lantern_projectors WHERE name = ?",
    )
    .bind(name.as_str())
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed)?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let mut record = stored.read()?;
    let generations: Vec<GenerationRow> =
        sqlx::query_as(generations!("WHERE projector = ? ORDER BY id"))
            .bind(name.as_str())
            .fetch_all(&mut *conn)
            .await
            .map_err(failed)?;
    for row in generations {
        record.generations.push(row.read(conn).await?.1);
    }
    Ok(Some(record))
}

/// One generation, and whose it is.
pub(super) async fn generation(
    conn: &mut SqliteConnection,
    id: GenerationId,
) -> Result<Option<(ProjectorName, Generation)>, StoreError> {
    let stored: Option<GenerationRow> = sqlx::query_as(generations!("WHERE id = ?"))
        .bind(id.0)
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed)?;
    match stored {
        Some(row) => row.read(conn).await.map(Some),
        None => Ok(None),
    }
}

/// See `ReadStore::checkpoint`.
pub(super) async fn checkpoint(
    pool: &SqlitePool,
    id: GenerationId,
) -> Result<Option<Checkpoint>, StoreError> {
    // A generation that has read nothing has no partition, and yet it is there.
    let stored: Vec<(Option<String>, Option<i64>)> = sqlx::query_as(
        "SELECT c.partition, c.position FROM lantern_generations g \
         LEFT JOIN lantern_checkpoints c ON c.generation = g.id WHERE g.id = ?",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    if stored.is_empty() {
        return Ok(None);
    }
    let partitions = stored
        .into_iter()
        .filter_map(|(name, at)| Some((name?, Position(at? as u64))));
    Ok(Some(Checkpoint::from_partitions(partitions)))
}

/// Reads a stored state.
pub(super) fn read_state(stored: &str) -> Result<GenerationState, StoreError> {
    read_word(stored)
}

#[derive(sqlx::FromRow)]
struct ProjectorRow {
    name: String,
    wanted: String,
    file: Option<String>,
    file_host: Option<String>,
    file_digest: Option<String>,
}

impl ProjectorRow {
    fn read(self) -> Result<ProjectorRecord, StoreError> {
        Ok(ProjectorRecord {
            name: read_word(&self.name)?,
            wanted: read_word::<WantedState>(&self.wanted)?,
            file: self.file,
            file_host: self.file_host,
            file_digest: self.file_digest.map(Digest),
            generations: Vec::new(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct GenerationRow {
    id: i64,
    projector: String,
    state: String,
    indexes: String,
    digest: String,
    created_at: i64,
    live_at: Option<i64>,
    failure: Option<String>,
    description: String,
    asked: i64,
    scope: Option<String>,
    took_over: Option<i64>,
    dead_letters: i64,
    waiting: i64,
    oldest: Option<i64>,
}

impl GenerationRow {
    async fn read(
        self,
        conn: &mut SqliteConnection,
    ) -> Result<(ProjectorName, Generation), StoreError> {
        let partitions: Vec<(String, i64)> = sqlx::query_as(
            "SELECT partition, position FROM lantern_checkpoints WHERE generation = ?",
        )
        .bind(self.id)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
        let partitions = partitions
            .into_iter()
            .map(|(name, at)| (name, Position(at as u64)));
        let generation = Generation {
            id: GenerationId(self.id),
            digest: Digest(self.digest),
            description: read_json(&self.description)?,
            state: read_state(&self.state)?,
            scope: read_scope(self.scope.as_deref())?,
            took_over: self.took_over.map(GenerationId),
            checkpoint: Checkpoint::from_partitions(partitions),
            indexed: self.indexes == "made",
            failure: self.failure.as_deref().map(read_json).transpose()?,
            dead_letters: self.dead_letters as u64,
            waiting: read_count(self.waiting, self.oldest),
            asked: self.asked as u64,
            created_at: Timestamp(self.created_at),
            live_at: self.live_at.map(Timestamp),
        };
        Ok((read_word(&self.projector)?, generation))
    }
}

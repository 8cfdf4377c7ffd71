//! Reads what is recorded about projectors and generations.

use sqlx::postgres::PgConnection;

use super::error::failed;
use super::space::Space;
use crate::model::{
    Checkpoint, Digest, Generation, GenerationId, GenerationState, ProjectorName, ProjectorRecord,
    Timestamp, WantedState,
};
use crate::read_store::StoreError;
use crate::read_store::stored::{read_count, read_json, read_scope, read_word};

/// Selects the columns of a `Stored`, in one statement: what it brings belongs
/// together.
macro_rules! records {
    ($which:literal) => {
        concat!(
            "SELECT p.name, p.wanted, p.file, p.file_host, p.file_digest, \
             g.id, g.state, g.indexed, g.digest, g.created_at, g.live_at, g.failure, \
             g.description, g.asked, g.scope, g.took_over, c.checkpoint::text, \
             (SELECT count(*) FROM lantern.dead_letters d WHERE d.generation = g.id) AS dead_letters, \
             (SELECT count(*) FROM lantern.waiting w WHERE w.generation = g.id AND NOT w.given_up) \
             AS waiting, (SELECT min(position) FROM lantern.waiting w \
             WHERE w.generation = g.id AND NOT w.given_up) AS oldest \
             FROM lantern.projectors p \
             LEFT JOIN lantern.generations g ON g.projector = p.name \
             LEFT JOIN lantern.progress c ON c.generation = g.id ",
            $which,
            " ORDER BY p.name, g.id"
        )
    };
}

/// All projectors with their generations, in name order.
pub(super) async fn projectors(space: &Space) -> Result<Vec<ProjectorRecord>, StoreError> {
    let stored: Vec<Stored> = sqlx::query_as(space.sql(records!("")))
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    gather(stored)
}

/// One projector with its generations.
pub(super) async fn projector(
    connection: &mut PgConnection,
    space: &Space,
    name: &ProjectorName,
) -> Result<Option<ProjectorRecord>, StoreError> {
    let stored: Vec<Stored> = sqlx::query_as(space.sql(records!("WHERE p.name = $1")))
        .bind(name.as_str())
        .fetch_all(connection)
        .await
        .map_err(failed)?;
    Ok(gather(stored)?.pop())
}

/// One generation.
pub(super) async fn generation(
    connection: &mut PgConnection,
    space: &Space,
    id: GenerationId,
) -> Result<Option<(ProjectorName, Generation)>, StoreError> {
    let stored: Option<Stored> = sqlx::query_as(space.sql(records!("WHERE g.id = $1")))
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let name = read_word(&stored.name)?;
    Ok(stored.generation()?.map(|generation| (name, generation)))
}

/// See `ReadStore::checkpoint`.
pub(super) async fn checkpoint(
    space: &Space,
    id: GenerationId,
) -> Result<Option<Checkpoint>, StoreError> {
    let ask = space.sql("SELECT checkpoint::text FROM lantern.progress WHERE generation = $1");
    let stored: Option<String> = sqlx::query_scalar(ask)
        .bind(id.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)?;
    stored.as_deref().map(read_json).transpose()
}

fn gather(stored: Vec<Stored>) -> Result<Vec<ProjectorRecord>, StoreError> {
    let mut records: Vec<ProjectorRecord> = Vec::new();
    for row in stored {
        if records
            .last()
            .is_none_or(|last| last.name.as_str() != row.name)
        {
            records.push(row.projector()?);
        }
        let generation = row.generation()?;
        if let Some(record) = records.last_mut() {
            record.generations.extend(generation);
        }
    }
    Ok(records)
}

/// A projector and one of its generations, if it has any.
#[derive(sqlx::FromRow)]
struct Stored {
    name: String,
    wanted: String,
    file: Option<String>,
    file_host: Option<String>,
    file_digest: Option<String>,
    id: Option<i64>,
    state: Option<String>,
    indexed: Option<bool>,
    digest: Option<String>,
    created_at: Option<i64>,
    live_at: Option<i64>,
    failure: Option<String>,
    description: Option<String>,
    asked: Option<i64>,
    scope: Option<String>,
    took_over: Option<i64>,
    checkpoint: Option<String>,
    dead_letters: i64,
    waiting: i64,
    oldest: Option<i64>,
}

impl Stored {
    fn projector(&self) -> Result<ProjectorRecord, StoreError> {
        Ok(ProjectorRecord {
            name: read_word(&self.name)?,
            wanted: read_word::<WantedState>(&self.wanted)?,
            file: self.file.clone(),
            file_host: self.file_host.clone(),
            file_digest: self.file_digest.clone().map(Digest),
            generations: Vec::new(),
        })
    }

    fn generation(self) -> Result<Option<Generation>, StoreError> {
        let Some(id) = self.id else {
            return Ok(None);
        };
        let missing = || StoreError::Unreadable(format!("generation {id} is not complete"));
        Ok(Some(Generation {
            id: GenerationId(id),
            digest: Digest(self.digest.ok_or_else(missing)?),
            description: read_json(&self.description.ok_or_else(missing)?)?,
            state: read_word::<GenerationState>(&self.state.ok_or_else(missing)?)?,
            scope: read_scope(self.scope.as_deref())?,
            took_over: self.took_over.map(GenerationId),
            checkpoint: read_json(&self.checkpoint.ok_or_else(missing)?)?,
            indexed: self.indexed.ok_or_else(missing)?,
            failure: self.failure.as_deref().map(read_json).transpose()?,
            dead_letters: self.dead_letters as u64,
            waiting: read_count(self.waiting, self.oldest),
            asked: self.asked.ok_or_else(missing)? as u64,
            created_at: Timestamp(self.created_at.ok_or_else(missing)?),
            live_at: self.live_at.map(Timestamp),
        }))
    }
}

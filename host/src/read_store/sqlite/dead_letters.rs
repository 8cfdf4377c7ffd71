//! Events that were set aside.

use rusqlite::Connection;
use sqlx::SqlitePool;

use super::change::RecordChange;
use super::error::failed;
use super::generations::count_request;
use crate::model::{
    DeadLetter, DeadLetterChanges, DeadLetterChoice, DeadLetterRequest, GenerationId,
};
use crate::read_store::StoreError;
use crate::read_store::dead_letters::{Chosen, read};
use crate::read_store::stored::write_json;

/// Which dead letters of a generation are meant: by position, tenant and stream, each
/// unless it is null.
const CHOSEN: &str = "generation = ?1 AND (?2 IS NULL OR position = ?2) \
     AND (?3 IS NULL OR tenant = ?3) AND (?4 IS NULL OR stream = ?4)";

/// See `ReadStore::dead_letters`.
pub(super) async fn find(
    pool: &SqlitePool,
    generation: GenerationId,
    choice: &DeadLetterChoice,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = format!(
        "SELECT letter, asked FROM lantern_dead_letters WHERE {CHOSEN} ORDER BY position LIMIT ?5"
    );
    let chosen = Chosen::of(choice);
    let stored: Vec<(String, Option<String>)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(generation.0)
        .bind(chosen.position)
        .bind(chosen.tenant)
        .bind(chosen.stream)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await
        .map_err(failed)?;
    stored.into_iter().map(read).collect()
}

/// See `ReadStore::ask_dead_letters`.
pub(super) async fn ask(
    pool: &SqlitePool,
    generation: GenerationId,
    choice: &DeadLetterChoice,
    request: DeadLetterRequest,
) -> Result<u64, StoreError> {
    let mut change = RecordChange::begin(pool).await?;
    let chosen = Chosen::of(choice);
    let set = format!("UPDATE lantern_dead_letters SET asked = ?5 WHERE {CHOSEN}");
    let asked = sqlx::query(sqlx::AssertSqlSafe(set))
        .bind(generation.0)
        .bind(chosen.position)
        .bind(chosen.tenant)
        .bind(chosen.stream)
        .bind(request.as_str())
        .execute(&mut *change)
        .await
        .map_err(failed)?
        .rows_affected();
    count_request(&mut change, generation).await?;
    change.commit().await?;
    Ok(asked)
}

/// Writes changes, within a commit.
pub(super) fn write(
    connection: &Connection,
    generation: GenerationId,
    changes: &DeadLetterChanges,
) -> Result<(), StoreError> {
    let mut remove = connection
        .prepare_cached("DELETE FROM lantern_dead_letters WHERE generation = ? AND position = ?")
        .map_err(super::error::row_failed)?;
    for position in &changes.removes {
        remove
            .execute((generation.0, position.0 as i64))
            .map_err(super::error::row_failed)?;
    }
    let mut put = connection
        .prepare_cached(
            "INSERT INTO lantern_dead_letters \
             (generation, position, tenant, stream, letter, asked) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (generation, position) DO UPDATE SET letter = excluded.letter, \
             asked = CASE WHEN asked IS excluded.asked THEN NULL ELSE asked END",
        )
        .map_err(super::error::row_failed)?;
    for letter in &changes.puts {
        let position = letter.position.0 as i64;
        let text = write_json(letter)?;
        let asked = letter.asked.map(DeadLetterRequest::as_str);
        let (tenant, stream) = (&letter.tenant, &letter.stream);
        put.execute((generation.0, position, tenant, stream, text, asked))
            .map_err(super::error::row_failed)?;
    }
    let mut ask = connection
        .prepare_cached(
            "UPDATE lantern_dead_letters SET asked = ? \
             WHERE generation = ? AND position = ? AND asked IS NULL",
        )
        .map_err(super::error::row_failed)?;
    for position in &changes.asks {
        let retry = DeadLetterRequest::Retry.as_str();
        ask.execute((retry, generation.0, position.0 as i64))
            .map_err(super::error::row_failed)?;
    }
    Ok(())
}

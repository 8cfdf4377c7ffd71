//! Who works on a generation, and who is alive.
//!
//! A claim writes its lease into the generation's record. A heartbeat touches
//! nothing but the host's own row, however many generations the host holds: a
//! lease lasts as long as either says. So a heartbeat never waits for a commit,
//! and a long commit never costs its host a lease. All times are the server's.

use sqlx::postgres::PgConnection;

use super::change::{PATIENCE, begin};
use super::error::{failed, is_no_table};
use super::space::Space;
use crate::model::{Checkpoint, Description, Epoch, GenerationId};
use crate::read_store::stored::{read_json, write_json};
use crate::read_store::{Claim, Claimed, HostRecord, Owner, SeenHost, StoreError};

/// Takes the generation when nobody has it, when its holder is this very host, or
/// when the holder has not been heard of. The epoch moves on with it, which waits
/// for a commit in flight and fences all that come after.
const CLAIM: &str = "WITH taken AS (\
        UPDATE lantern.generations g SET owner_host = $2, owner_instance = $3, \
            lease_until = clock_timestamp() + make_interval(secs => $4) \
        WHERE g.id = $1 AND (g.owner_host IS NULL OR g.owner_host = $2 \
            OR (g.lease_until <= clock_timestamp() AND NOT EXISTS (\
                SELECT 1 FROM lantern.hosts h WHERE h.host = g.owner_host \
                AND h.instance = g.owner_instance AND h.lease_until > clock_timestamp()))) \
        RETURNING g.id, g.description) \
    UPDATE lantern.progress p SET epoch = p.epoch + 1 FROM taken \
    WHERE p.generation = taken.id \
    RETURNING p.epoch, p.keyed, p.checkpoint::text, taken.description";

/// See `ReadStore::claim`. The revision does not move: records do not show who
/// works on a generation.
pub(super) async fn claim(
    space: &Space,
    id: GenerationId,
    owner: &Owner,
) -> Result<Claimed, StoreError> {
    loop {
        if let Some(claim) = take(space, id, owner).await? {
            return Ok(Claimed::Taken(claim));
        }
        // Without a holder it was given back just now.
        if let Some(by) = holder(space, id).await? {
            return Ok(Claimed::Held { by });
        }
    }
}

async fn take(space: &Space, id: GenerationId, owner: &Owner) -> Result<Option<Claim>, StoreError> {
    let mut transaction = space
        .pool()
        .begin_with(begin(PATIENCE))
        .await
        .map_err(failed)?;
    let taken: Option<(i64, bool, String, String)> = sqlx::query_as(space.sql(CLAIM))
        .bind(id.0)
        .bind(&owner.host)
        .bind(&owner.instance)
        .bind(space.lease.as_secs_f64())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
    let Some((epoch, keyed, checkpoint, description)) = taken else {
        return Ok(None);
    };
    let checkpoint: Checkpoint = read_json(&checkpoint)?;
    // Without its keys it never had a row.
    let is_empty = checkpoint == Checkpoint::start()
        && !(keyed && has_rows(&mut transaction, space, id, &read_json(&description)?).await?);
    transaction.commit().await.map_err(failed)?;
    Ok(Some(Claim {
        generation: id,
        epoch: Epoch(epoch),
        checkpoint,
        is_empty,
    }))
}

/// Who holds a generation that could not be taken.
async fn holder(space: &Space, id: GenerationId) -> Result<Option<String>, StoreError> {
    let ask = space.sql("SELECT owner_host FROM lantern.generations WHERE id = $1");
    let found: Option<Option<String>> = sqlx::query_scalar(ask)
        .bind(id.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)?;
    found.ok_or(StoreError::NoGeneration(id))
}

/// See `ReadStore::release`.
pub(super) async fn release(
    space: &Space,
    id: GenerationId,
    owner: &Owner,
) -> Result<(), StoreError> {
    let release = space.sql(
        "UPDATE lantern.generations \
         SET owner_host = NULL, owner_instance = NULL, lease_until = NULL \
         WHERE id = $1 AND owner_host = $2 AND owner_instance = $3",
    );
    sqlx::query(release)
        .bind(id.0)
        .bind(&owner.host)
        .bind(&owner.instance)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::heartbeat`. It also forgets hosts that have been dead for a
/// day; whoever beats is the latest.
pub(super) async fn heartbeat(space: &Space, host: &HostRecord) -> Result<(), StoreError> {
    let beat = space.sql(
        "WITH forgotten AS (DELETE FROM lantern.hosts WHERE host IN (\
             SELECT host FROM lantern.hosts \
             WHERE heard_at < clock_timestamp() - interval '1 day' AND host <> $1 \
             FOR UPDATE SKIP LOCKED)) \
         INSERT INTO lantern.hosts (host, instance, heard_at, lease_until, record) \
         VALUES ($1, $2, clock_timestamp(), clock_timestamp() + make_interval(secs => $3), $4) \
         ON CONFLICT (host) DO UPDATE SET instance = excluded.instance, \
             heard_at = excluded.heard_at, lease_until = excluded.lease_until, \
             record = excluded.record",
    );
    sqlx::query(beat)
        .bind(&host.host)
        .bind(&host.instance)
        .bind(space.lease.as_secs_f64())
        .bind(write_json(host)?)
        .execute(space.pool())
        .await
        .map(drop)
        .map_err(failed)
}

/// See `ReadStore::hosts`.
pub(super) async fn hosts(space: &Space) -> Result<Vec<SeenHost>, StoreError> {
    let ask = space.sql(
        "SELECT record, lease_until > clock_timestamp() FROM lantern.hosts ORDER BY heard_at DESC",
    );
    let stored: Vec<(String, bool)> = sqlx::query_as(ask)
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    let seen = |(record, alive): (String, bool)| {
        read_json(&record).map(|record| SeenHost { record, alive })
    };
    stored.into_iter().map(seen).collect()
}

async fn has_rows(
    connection: &mut PgConnection,
    space: &Space,
    id: GenerationId,
    description: &Description,
) -> Result<bool, StoreError> {
    for table in &description.tables {
        let physical = space.physical(id, &table.name);
        let any = sqlx::AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {physical})"));
        let any: Result<bool, _> = sqlx::query_scalar(any)
            .persistent(false)
            .fetch_one(&mut *connection)
            .await;
        match any {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            Err(error) if is_no_table(&error) => return Err(StoreError::NoGeneration(id)),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(false)
}

//! The fence: the row that every commit of a generation has to move.

use std::sync::Arc;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments as _, AssertSqlSafe};

use super::binary::Single;
use super::error::failed;
use super::space::Space;
use crate::model::{Checkpoint, ColumnType, Epoch, GenerationId, GenerationState, Value};
use crate::read_store::checkpoint::{Standing, refusal};
use crate::read_store::stored::{read_json, read_word, write_json};
use crate::read_store::{Committed, Durability, StoreError};

/// What a commit does to the checkpoint.
pub(super) struct Step {
    generation: GenerationId,
    epoch: Epoch,
    from: Value,
    to: Value,
}

/// Generation, epoch, new checkpoint, former checkpoint.
pub(super) const FENCE_PARAMETERS: usize = 4;

impl Step {
    pub(super) fn new(
        generation: GenerationId,
        epoch: Epoch,
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<Self, StoreError> {
        let write = |checkpoint| Ok::<_, StoreError>(Value::Text(write_json(checkpoint)?.into()));
        Ok(Self {
            generation,
            epoch,
            from: write(from)?,
            to: write(to)?,
        })
    }

    /// The parameters of the fence.
    pub(super) fn arguments(&self) -> Result<PgArguments, BoxDynError> {
        let mut arguments = PgArguments::default();
        arguments.add(self.generation.0)?;
        arguments.add(self.epoch.0)?;
        for value in [&self.to, &self.from] {
            let column_type = ColumnType::Json;
            arguments.add(Single { column_type, value })?;
        }
        Ok(arguments)
    }

    /// Moves the checkpoint, within a transaction; false when the fence refuses.
    pub(super) async fn take(
        &self,
        connection: &mut PgConnection,
        fence: Arc<str>,
    ) -> Result<bool, StoreError> {
        let arguments = self.arguments().map_err(sqlx::Error::Encode);
        let taken = sqlx::query_with(AssertSqlSafe(fence), arguments.map_err(failed)?)
            .fetch_optional(connection)
            .await;
        taken.map(|row| row.is_some()).map_err(failed)
    }
}

/// Moves the checkpoint if the generation is still the writer's and stands where
/// the writer thinks. The row it brings also says how certain the commit is, as
/// that need not cost a statement of its own.
pub(super) fn fence(space: &Space, also: &str) -> String {
    let durability = match space.durability {
        Durability::Normal => "'off'",
        // Where the server is set to more than that, it stays.
        Durability::Full => {
            "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
             ELSE current_setting('synchronous_commit') END"
        }
    };
    format!(
        "UPDATE {0}progress p SET checkpoint = $3::jsonb{also} FROM {0}generations g \
         WHERE p.generation = $1::bigint AND p.epoch = $2::bigint \
         AND p.checkpoint = $4::jsonb AND g.id = p.generation AND g.state <> 'retired' \
         RETURNING set_config('synchronous_commit', {durability}, true)",
        space.records
    )
}

/// Why the fence refused.
pub(super) async fn refused(
    connection: &mut PgConnection,
    space: &Space,
    step: &Step,
    from: &Checkpoint,
) -> Result<Committed, StoreError> {
    let ask = space.sql(
        "SELECT g.state, p.epoch, p.checkpoint::text FROM lantern.generations g \
         JOIN lantern.progress p ON p.generation = g.id WHERE g.id = $1",
    );
    let stored: Option<(String, i64, String)> = sqlx::query_as(ask)
        .bind(step.generation.0)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    let standing = match stored {
        Some((state, epoch, checkpoint)) => Some(Standing {
            state: read_word::<GenerationState>(&state)?,
            epoch: Epoch(epoch),
            checkpoint: read_json(&checkpoint)?,
        }),
        None => None,
    };
    refusal(step.generation, step.epoch, from, standing.as_ref())
        .map(Committed::Fenced)
        .ok_or_else(|| {
            let message = format!(
                "generation {} stands as it should, yet its checkpoint could not be moved or \
                 one of its tables is not there",
                step.generation
            );
            StoreError::Broken(message.into())
        })
}

//! Whose a table is, by the name that readers use.

use sqlx::SqliteConnection;

use super::error::failed;
use crate::model::{ProjectorName, Table};
use crate::read_store::StoreError;

/// Refuses tables of `projector` whose names belong to somebody else: to
/// another projector's generation, whatever its state, or to a thing in this
/// database that is not Lantern's.
pub(super) async fn check_names(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
    tables: &[Table],
) -> Result<(), StoreError> {
    for name in tables.iter().flat_map(Table::readers_names) {
        let owner = owner_of(conn, &name).await?;
        let owner = match owner {
            Some(owner) if owner != projector.as_str() => Some(format!("projector `{owner}`")),
            _ => foreign(conn, projector, &name).await?,
        };
        if let Some(owner) = owner {
            return Err(StoreError::TableTaken { table: name, owner });
        }
    }
    Ok(())
}

/// The projector one of whose generations has a table of this name.
pub(super) async fn owner_of(
    conn: &mut SqliteConnection,
    table: &str,
) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar(
        "SELECT g.projector FROM lantern_tables t JOIN lantern_generations g ON g.id = t.generation \
         WHERE t.name = ? LIMIT 1",
    )
    .bind(table)
    .fetch_optional(conn)
    .await
    .map_err(failed)
}

/// What else has this name. Names of tables, views and indexes share one space,
/// in which case does not count. The view of the projector's own live
/// generation is no stranger.
async fn foreign(
    conn: &mut SqliteConnection,
    projector: &ProjectorName,
    table: &str,
) -> Result<Option<String>, StoreError> {
    let kind: Option<String> = sqlx::query_scalar(
        "SELECT type FROM sqlite_master WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger' \
         AND NOT (type = 'view' AND EXISTS (SELECT 1 FROM lantern_tables t \
             JOIN lantern_generations g ON g.id = t.generation \
             WHERE t.name = ?1 AND g.projector = ?2 AND g.state = 'live'))",
    )
    .bind(table)
    .bind(projector.as_str())
    .fetch_optional(conn)
    .await
    .map_err(failed)?;
    Ok(kind.map(|kind| format!("someone else (the database has another {kind} of that name)")))
}

//! Whose a table is, by the name that readers use.

use sqlx::postgres::PgConnection;

use super::error::failed;
use super::space::Space;
use crate::model::{ProjectorName, Table};
use crate::read_store::StoreError;

/// Refuses tables of `projector` whose names belong to somebody else: to
/// another projector's generation, whatever its state, or to a thing in this
/// schema that is not Lantern's.
pub(super) async fn check_names(
    connection: &mut PgConnection,
    space: &Space,
    projector: &ProjectorName,
    tables: &[Table],
) -> Result<(), StoreError> {
    for name in tables.iter().flat_map(Table::readers_names) {
        let owner = owner_of(connection, space, &name).await?;
        let owner = match owner {
            Some(owner) if owner != projector.as_str() => Some(format!("projector `{owner}`")),
            _ => foreign(connection, space, projector, &name).await?,
        };
        if let Some(owner) = owner {
            return Err(StoreError::TableTaken { table: name, owner });
        }
    }
    Ok(())
}

/// The projector one of whose generations has a table of this name.
pub(super) async fn owner_of(
    connection: &mut PgConnection,
    space: &Space,
    table: &str,
) -> Result<Option<String>, StoreError> {
    let ask = space.sql(
        "SELECT g.projector FROM lantern.tables t \
         JOIN lantern.generations g ON g.id = t.generation WHERE t.name = $1 LIMIT 1",
    );
    sqlx::query_scalar(ask)
        .bind(table)
        .fetch_optional(connection)
        .await
        .map_err(failed)
}

/// What else has this name. Tables, views, indexes and types share one space, as
/// a view makes a type of its name. The view of the projector's own live
/// generation is no stranger.
async fn foreign(
    connection: &mut PgConnection,
    space: &Space,
    projector: &ProjectorName,
    table: &str,
) -> Result<Option<String>, StoreError> {
    let ask = space.sql(
        "SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' \
             WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type' ELSE 'table' END \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2 \
           AND NOT (c.relkind = 'v' AND EXISTS (SELECT 1 FROM lantern.tables t \
               JOIN lantern.generations g ON g.id = t.generation \
               WHERE t.name = $2 AND g.projector = $3 AND g.state = 'live')) \
         UNION ALL \
         SELECT 'type' FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         WHERE n.nspname = $1 AND t.typname = $2 AND t.typrelid = 0 \
         LIMIT 1",
    );
    let kind: Option<String> = sqlx::query_scalar(ask)
        .bind(&*space.schema)
        .bind(table)
        .bind(projector.as_str())
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    Ok(kind.map(|kind| format!("someone else (the schema has another {kind} of that name)")))
}

//! Who gives out positions: the table that holds them, and its sequence.

use sqlx::postgres::PgConnection;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, Statement};

use super::mapping::{GapRule, TableMapping};
use super::trouble::{blamed, failed, unfit};
use crate::source::SourceError;

/// A table, as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) oid: Oid,
    /// Quoted, with its schema.
    pub(super) name: String,
    pub(super) schema: String,
}

/// The SQL that goes after FROM: a plain name with its schema, anything else as
/// it was said.
pub(super) async fn from_clause(
    conn: &mut PgConnection,
    table: &str,
) -> Result<String, SourceError> {
    if !is_plain(table) {
        return Ok(table.to_owned());
    }
    let found: Option<(Oid, String, String, String)> = sqlx::query_as(
        "SELECT c.oid, c.relkind::text, n.nspname::text, format('%I.%I', n.nspname, c.relname) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = to_regclass($1)",
    )
    .bind(table)
    .fetch_optional(&mut *conn)
    .await
    .map_err(|error| blamed("event_store.table", table, error))?;
    match found {
        Some((_, _, _, name)) => Ok(name),
        None => Err(unfit(format!(
            "there is no table {table} in the database; set `event_store.table` to the table of \
             events, with its schema{}",
            alike(conn, table).await?
        ))),
    }
}

/// Tables of the same name elsewhere.
async fn alike(conn: &mut PgConnection, table: &str) -> Result<String, SourceError> {
    let last = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p') ORDER BY 1 LIMIT 5",
    )
    .bind(last)
    .fetch_all(conn)
    .await
    .map_err(failed)?;
    Ok(match names.is_empty() {
        true => String::new(),
        false => format!(" (there is {})", names.join(", ")),
    })
}

/// The table whose column the position is. A view will do when nobody wants to
/// know who appends.
pub(super) async fn of_position(
    conn: &mut PgConnection,
    from: &str,
    position: &str,
    gaps: GapRule,
) -> Result<(Relation, i16), SourceError> {
    let sql = format!("SELECT {position} FROM {from}");
    let statement = conn
        .prepare(AssertSqlSafe(sql).into_sql_str())
        .await
        .map_err(|error| blamed("event_store.position", position, error))?;
    let column = &statement.columns()[0];
    let (Some(table), Some(number)) = (column.relation_id(), column.relation_attribute_no()) else {
        return Err(unfit(format!(
            "the position `{position}` is not a plain column of a table, so it cannot be known \
             who may still give out a lower one; set `event_store.position` to the column that \
             holds it"
        )));
    };
    let (name, schema, kind): (String, String, String) = sqlx::query_as(
        "SELECT format('%I.%I', n.nspname, c.relname), n.nspname::text, c.relkind::text \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
    )
    .bind(table)
    .fetch_one(conn)
    .await
    .map_err(failed)?;
    let what = match kind.as_str() {
        "r" | "p" => None,
        _ if gaps == GapRule::Ignore => None,
        "v" => Some("a view"),
        "m" => Some("a materialized view"),
        "f" => Some("a foreign table"),
        _ => Some("no table"),
    };
    let Some(what) = what else {
        let oid = table;
        return Ok((Relation { oid, name, schema }, number));
    };
    Err(unfit(format!(
        "{name} is {what}: whoever appends locks something else, so it cannot be known which \
         events are still on their way; set `event_store.table` to the table that events are \
         appended to (it may be a join)"
    )))
}

/// The sequences that positions come from, as quoted names.
pub(super) async fn sequences(
    conn: &mut PgConnection,
    mapping: &TableMapping,
    table: &Relation,
    column: i16,
) -> Result<Vec<String>, SourceError> {
    match mapping.sequence.as_deref().filter(|name| !name.is_empty()) {
        Some("none") => return Ok(Vec::new()),
        Some(name) => return named(conn, name).await.map(|found| vec![found]),
        None => {}
    }
    let mut found = linked(conn, table, column).await?;
    // Both, for a column that owns a sequence which the tool does not use.
    for name in likely(conn, mapping, table).await? {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty() && mapping.gaps == GapRule::Prove {
        return Err(unfit(format!(
            "nothing leads from {} to the sequence that its positions come from; set \
             `event_store.sequence` to it, or to \"none\" when positions are counted up under a \
             lock that appends hold until they commit",
            table.name
        )));
    }
    Ok(found)
}

async fn named(conn: &mut PgConnection, name: &str) -> Result<String, SourceError> {
    let found: Option<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = to_regclass($1) AND c.relkind = 'S'",
    )
    .bind(name)
    .fetch_optional(conn)
    .await
    .map_err(|error| blamed("event_store.sequence", name, error))?;
    found.ok_or_else(|| {
        unfit(format!(
            "there is no sequence {name}; set `event_store.sequence` to the one that positions \
             come from, with its schema"
        ))
    })
}

/// Those that the column owns (serial, identity) or names in its default.
async fn linked(
    conn: &mut PgConnection,
    table: &Relation,
    column: i16,
) -> Result<Vec<String>, SourceError> {
    sqlx::query_scalar(
        "SELECT DISTINCT format('%I.%I', n.nspname, s.relname) FROM pg_depend d \
         JOIN pg_class s ON s.relkind = 'S' AND s.oid IN (d.objid, d.refobjid) \
         JOIN pg_namespace n ON n.oid = s.relnamespace \
         LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid \
         WHERE (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
                AND d.refobjid = $1 AND d.refobjsubid = $2 AND s.oid = d.objid) \
            OR (a.adrelid = $1 AND a.adnum = $2 AND d.refclassid = 'pg_class'::regclass \
                AND s.oid = d.refobjid)",
    )
    .bind(table.oid)
    .bind(column)
    .fetch_all(conn)
    .await
    .map_err(failed)
}

async fn likely(
    conn: &mut PgConnection,
    mapping: &TableMapping,
    table: &Relation,
) -> Result<Vec<String>, SourceError> {
    sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind = 'S' \
         ORDER BY array_position($2, c.relname::text) LIMIT 1",
    )
    .bind(&table.schema)
    .bind(mapping.likely_sequences)
    .fetch_all(conn)
    .await
    .map_err(failed)
}

/// Whether a text is a name, perhaps with a schema, and no more than that.
fn is_plain(table: &str) -> bool {
    let mut quoted = false;
    table.chars().all(|c| {
        quoted ^= c == '"';
        quoted || c == '"' || c == '.' || c == '_' || c == '$' || c.is_alphanumeric()
    }) && !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_joins() {
        for name in [
            "events",
            "a.events",
            "\"My Schema\".\"Event Log\"",
            "a.\"b\"\"c\"",
        ] {
            assert!(is_plain(name), "{name}");
        }
        for other in ["a JOIN b", "(SELECT 1) AS x", "\"a", "a, b", "f(x)"] {
            assert!(!is_plain(other), "{other}");
        }
    }
}

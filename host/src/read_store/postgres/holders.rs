//! Who holds what a swap waits for.
//!
//! Nobody can ask while waiting, so it is asked afterwards; whoever held the
//! names may have finished by then.

use std::time::Duration;

use super::error::failed;
use super::space::Space;
use crate::model::{GenerationId, ProjectorName};
use crate::read_store::StoreError;

/// Those who hold the readers' names of a generation's projector, in a line.
pub(super) async fn of_generation(
    space: &Space,
    generation: GenerationId,
) -> Result<String, StoreError> {
    let ask = space.sql("SELECT projector FROM lantern.generations WHERE id = $1");
    let projector: Option<String> = sqlx::query_scalar(ask)
        .bind(generation.0)
        .fetch_optional(space.pool())
        .await
        .map_err(failed)?;
    of_projector(space, projector.as_deref().unwrap_or_default()).await
}

/// The error that a projector's names were not had.
pub(super) async fn unavailable(space: &Space, projector: &ProjectorName) -> StoreError {
    match of_projector(space, projector.as_str()).await {
        Ok(who) => StoreError::Unavailable(
            format!("the readers' names of `{projector}` are in use: {who}").into(),
        ),
        Err(error) => error,
    }
}

async fn of_projector(space: &Space, projector: &str) -> Result<String, StoreError> {
    // A transaction that is prepared has no process; the lock on its own number
    // tells which it is.
    let ask = space.sql(
        "SELECT DISTINCT c.relname::text, l.pid, a.usename::text, a.application_name, a.state, \
             extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, x.prepared))::float8, \
             x.gid \
         FROM pg_catalog.pg_locks l \
         JOIN pg_catalog.pg_class c ON c.oid = l.relation \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         LEFT JOIN pg_catalog.pg_locks own ON l.pid IS NULL AND own.pid IS NULL \
             AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction \
         LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = own.transactionid \
         WHERE l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
           AND n.nspname = $1 AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() \
           AND c.relkind = 'v' \
           AND c.relname IN (SELECT t.name FROM lantern.tables t \
               JOIN lantern.generations g ON g.id = t.generation WHERE g.projector = $2) \
         ORDER BY 6 DESC NULLS LAST LIMIT 5",
    );
    let holders: Vec<Holder> = sqlx::query_as(ask)
        .bind(&*space.schema)
        .bind(projector)
        .fetch_all(space.pool())
        .await
        .map_err(failed)?;
    if holders.is_empty() {
        return Ok(format!(
            "a commit, another change or a reader took longer than {} ms and is done by now",
            space.lock_wait.as_millis()
        ));
    }
    let shown: Vec<String> = holders.into_iter().map(show).collect();
    Ok(shown.join("; "))
}

/// View, process, user, application, state, seconds, prepared transaction.
type Holder = (
    String,
    Option<i32>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<f64>,
    Option<String>,
);

fn show((view, pid, user, application, state, seconds, prepared): Holder) -> String {
    let since = seconds.map_or_else(String::new, |seconds| {
        let length = Duration::from_secs_f64(seconds.clamp(0.0, 1e9));
        format!(", in a transaction for {:.1} s", length.as_secs_f64())
    });
    if let Some(prepared) = prepared {
        return format!("prepared transaction `{prepared}` holds `{view}`{since}");
    }
    let pid = pid.map_or_else(
        || "an unknown process".into(),
        |pid| format!("process {pid}"),
    );
    let known = [
        user.map(|user| format!("user {user}")),
        application
            .filter(|name| !name.is_empty())
            .map(|name| format!("application {name}")),
        state,
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    if known.is_empty() {
        format!("{pid} holds `{view}`{since}")
    } else {
        format!("{pid} ({}) holds `{view}`{since}", known.join(", "))
    }
}

//! Whether locks say anything about a log.

use sqlx::FromRow;

use super::holders::standby;
use super::{Gaps, LogTable, failed};
use crate::postgres::Database;
use crate::source::SourceError;

const RELATIONS: &str = "\
SELECT pg_catalog.pg_is_in_recovery() AS is_standby, named.name, c.relkind::text AS kind,
       s.seqcache AS cache, s.seqincrement AS increment, s.seqcycle AS cycles,
       EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel AS r WHERE r.srrelid = c.oid)
           AS is_replicated
FROM unnest($1::text[]) AS named (name)
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(named.name)
LEFT JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid";

#[derive(FromRow)]
struct Relation {
    is_standby: bool,
    name: String,
    kind: Option<String>,
    cache: Option<i64>,
    increment: Option<i64>,
    cycles: Option<bool>,
    is_replicated: bool,
}

/// Refuses a log whose gaps cannot be judged by locks.
///
/// # Errors
///
/// [`SourceError::Unfit`], saying what to change.
pub(super) async fn check(database: &Database, log: &LogTable) -> Result<(), SourceError> {
    if log.gaps == Gaps::Ignore {
        return Ok(());
    }
    if log.relations.is_empty() {
        return Err(SourceError::Unfit(
            "nothing is known about who writes to the event log; name its table and its sequence"
                .into(),
        ));
    }
    let relations: Vec<Relation> = sqlx::query_as(RELATIONS)
        .bind(&log.relations)
        .fetch_all(database.pool())
        .await
        .map_err(failed)?;
    for relation in &relations {
        if relation.is_standby {
            return Err(standby());
        }
        if let Some(reason) = relation.unfit() {
            return Err(SourceError::Unfit(format!(
                "it cannot be known which missing positions of the event log are gone for good: \
                 {reason}"
            )));
        }
    }
    Ok(())
}

impl Relation {
    fn unfit(&self) -> Option<String> {
        let name = &self.name;
        if self.is_replicated {
            // They come in the order of commits, and nobody here holds a lock for those missing.
            return Some(format!(
                "the rows of `{name}` come by logical replication; read them where they are written"
            ));
        }
        match self.kind.as_deref() {
            Some("S") => self.unfit_sequence(),
            Some("r" | "p") => None,
            Some("v" | "m") => Some(format!("`{name}` is a view; name the table beneath it")),
            Some("f") => Some(format!(
                "the rows of `{name}` are on another server; read them where they are written"
            )),
            Some(_) => Some(format!("`{name}` is neither a table nor a sequence")),
            None => Some(format!(
                "there is no table or sequence `{name}`; check name and schema"
            )),
        }
    }

    fn unfit_sequence(&self) -> Option<String> {
        let name = &self.name;
        if self.cache.is_some_and(|cache| cache > 1) {
            return Some(format!(
                "sequence `{name}` hands out numbers in blocks that sessions keep for later; \
                 run `ALTER SEQUENCE {name} CACHE 1`, and let the writers connect anew"
            ));
        }
        if self.increment.is_some_and(|increment| increment != 1) {
            return Some(format!(
                "sequence `{name}` goes on by more than 1, so that writers take numbers in blocks \
                 and keep them for later; run `ALTER SEQUENCE {name} INCREMENT BY 1`, and set the \
                 writers to take one at a time"
            ));
        }
        self.cycles.is_some_and(|cycles| cycles).then(|| {
            format!(
                "sequence `{name}` begins again after its last number; run \
                 `ALTER SEQUENCE {name} NO CYCLE`"
            )
        })
    }
}

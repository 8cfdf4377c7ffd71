//! The place in a database where a store lives.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use super::options::PostgresOptions;
use crate::model::GenerationId;
use crate::postgres::Database;
use crate::read_store::Durability;
use crate::read_store::schema::{physical_table, quoted};

/// A database, and the schema of it that this store has. Every statement names
/// the schema: the pool is shared with others, so none may rely on a search path.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) database: Database,
    /// The schema, as it is called.
    pub(super) schema: Arc<str>,
    pub(super) durability: Durability,
    pub(super) lock_wait: Duration,
    pub(super) lease: Duration,
    /// What stands before the name of each table of records:
    /// `"schema".lantern_`.
    pub(super) records: Arc<str>,
}

impl Space {
    pub(super) fn new(database: Database, options: PostgresOptions) -> Self {
        Self {
            records: format!("{}.lantern_", quoted(&options.schema)).into(),
            schema: options.schema.into(),
            database,
            durability: options.durability,
            lock_wait: options.lock_wait,
            lease: options.lease,
        }
    }

    pub(super) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// A name in this schema, quoted.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }

    /// The physical table of a generation's table, quoted.
    pub(super) fn physical(&self, generation: GenerationId, table: &str) -> String {
        self.name(&physical_table(generation, table))
    }

    /// A statement about records, in which `lantern.projectors` stands for the
    /// table `lantern_projectors` of this schema. The texts are our own, and
    /// values are bound.
    pub(super) fn sql(&self, text: &'static str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace("lantern.", &self.records))
    }
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    // The form with E means the same whatever `standard_conforming_strings` is.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

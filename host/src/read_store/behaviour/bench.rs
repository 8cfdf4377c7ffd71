//! What the cases build their situations from.

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{
    Changes, Checkpoint, ColumnType, Description, Digest, GenerationId, Position, ProjectorName,
    ProjectorRecord, RawDescription, RawTable, Row, TableChanges, Value,
};
use crate::read_store::{Claim, Committed, Query, ReadStore, StoreError, Writer};

/// A database of its own for one case.
#[async_trait]
pub(in crate::read_store) trait Bench: Sync {
    /// The store.
    fn store(&self) -> &dyn ReadStore;

    /// Another handle on the same database, as another process would have.
    async fn another(&self) -> Box<dyn ReadStore>;

    /// Runs SQL as a stranger would.
    async fn execute(&self, sql: &str);

    /// Opens a connection of a stranger that polls.
    fn poller(&self) -> Box<dyn Poller>;
}

/// A stranger's connection, which counts rows by readers' names.
pub(in crate::read_store) trait Poller: Send {
    /// How many rows there are, and the sum of one of their columns.
    fn count_and_sum(&mut self, table: &str, column: &str) -> Result<(i64, i64), String>;
}

/// A projector `name` of one table `name` with the key `id`.
pub(super) fn described(
    name: &str,
    version: &str,
    columns: &[(&str, ColumnType)],
) -> RawDescription {
    let columns = columns
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), *kind, true));
    RawDescription {
        name: name.into(),
        version: version.into(),
        tables: vec![RawTable {
            name: name.into(),
            columns: std::iter::once(("id".to_owned(), ColumnType::Text, false))
                .chain(columns)
                .collect(),
            key: vec!["id".into()],
            ..RawTable::default()
        }],
        ..RawDescription::default()
    }
}

/// A projector `orders` with the columns `id` and `total`.
pub(super) fn orders(version: &str) -> Description {
    described("orders", version, &[("total", ColumnType::Integer)])
        .check()
        .unwrap()
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A row of `orders`.
pub(super) fn order(id: &str, total: i64) -> Row {
    Row {
        values: vec![text(id), Value::Integer(total)],
        ..Row::default()
    }
}

pub(super) fn at(position: u64) -> Checkpoint {
    Checkpoint::at(Position(position))
}

pub(super) fn projector(name: &str) -> ProjectorName {
    ProjectorName::new(name).unwrap()
}

/// Writes of rows into the first table.
pub(super) fn puts(rows: impl IntoIterator<Item = Row>) -> Changes {
    changes(rows, [])
}

/// Writes and removals in the first table.
pub(super) fn changes<'a>(
    rows: impl IntoIterator<Item = Row>,
    removed: impl IntoIterator<Item = &'a str>,
) -> Changes {
    Changes {
        tables: vec![TableChanges {
            table: 0,
            puts: rows.into_iter().map(Arc::new).collect(),
            removes: removed.into_iter().map(|id| vec![text(id)]).collect(),
        }],
    }
}

/// A generation being written to.
pub(super) struct Open {
    pub(super) id: GenerationId,
    pub(super) claim: Claim,
    pub(super) writer: Box<dyn Writer>,
}

/// Begins a generation and claims it.
pub(super) async fn begin(store: &dyn ReadStore, description: &Description) -> Open {
    let digest = Digest::of(description.version.to_string().as_bytes());
    let id = store.begin_generation(description, &digest).await.unwrap();
    reopen(store, id, description).await
}

/// Claims a generation.
pub(super) async fn reopen(
    store: &dyn ReadStore,
    id: GenerationId,
    description: &Description,
) -> Open {
    let claim = store.claim(id, "tests").await.unwrap();
    let writer = store.writer(&claim, &description.tables).unwrap();
    Open { id, claim, writer }
}

impl Open {
    /// Commits, from wherever the last commit through this value ended.
    pub(super) fn commit(&mut self, changes: &Changes, to: u64) -> Result<Committed, StoreError> {
        let to = at(to);
        let committed = self.writer.commit(changes, &self.claim.checkpoint, &to)?;
        if committed == Committed::Stored {
            self.claim.checkpoint = to;
        }
        Ok(committed)
    }

    /// Commits what must be stored.
    pub(super) fn store(&mut self, changes: &Changes, to: u64) {
        assert_eq!(self.commit(changes, to).unwrap(), Committed::Stored);
    }
}

/// All rows under a reader's name, in key order.
pub(super) async fn rows(store: &dyn ReadStore, table: &str) -> Vec<Vec<Value>> {
    let query = Query {
        table: table.into(),
        ..Query::default()
    };
    store.query(&query).await.unwrap().rows
}

/// The values of rows as `rows` gives them.
pub(super) fn values(rows: impl IntoIterator<Item = Row>) -> Vec<Vec<Value>> {
    rows.into_iter().map(|row| row.values).collect()
}

/// What is recorded of a projector.
pub(super) async fn record(store: &dyn ReadStore, name: &str) -> ProjectorRecord {
    let records = store.projectors().await.unwrap();
    records
        .into_iter()
        .find(|record| record.name.as_str() == name)
        .unwrap()
}

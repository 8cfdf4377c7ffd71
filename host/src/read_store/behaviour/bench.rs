//! What the cases build their situations from.

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{
    Changes, Checkpoint, ColumnType, Description, Digest, GenerationId, IndexKind, Position,
    ProjectorName, ProjectorRecord, RawDescription, RawTable, Row, TableChanges, Value,
};
use crate::read_store::{
    Claim, Claimed, Committed, Owner, Query, ReadStore, RowReader, StoreError, Writer,
};

/// A database of its own for one case.
#[async_trait]
pub(in crate::read_store) trait Bench: Sync {
    /// The store.
    fn store(&self) -> &dyn ReadStore;

    /// Another handle on the same database, as another process would have.
    async fn another(&self) -> Box<dyn ReadStore>;

    /// Runs SQL as a stranger would.
    async fn execute(&self, sql: &str);

    /// The ids that a stranger finds by words under a readers' name, in order.
    fn find(&self, name: &str, words: &str) -> Result<Vec<String>, String>;

    /// How many tables and indexes there are in which words are kept.
    async fn tables_of_texts(&self) -> i64;

    /// Opens a connection of a stranger that polls.
    fn poller(&self) -> Box<dyn Poller>;
}

/// A stranger's connection, which counts rows by readers' names.
pub(in crate::read_store) trait Poller: Send {
    /// How many rows there are, and the sum of one of their columns.
    fn count_and_sum(&mut self, table: &str, column: &str) -> Result<(i64, i64), String>;
}

/// A projector `name` of one table `name` with the key `id`.
pub(in crate::read_store) fn described(
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
pub(in crate::read_store) fn orders(version: &str) -> Description {
    described("orders", version, &[("total", ColumnType::Integer)])
        .check()
        .unwrap()
}

/// A projector `things` of a guarded, tenant-keyed table with an index on `label`.
pub(in crate::read_store) fn guarded_labels() -> Description {
    let mut raw = described("things", "1.0.0", &[("label", ColumnType::Text)]);
    let table = &mut raw.tables[0];
    (table.tenant_keyed, table.guarded) = (true, true);
    table.indexes = vec![(IndexKind::Ordered, vec![("label".into(), None, false)])];
    raw.check().unwrap()
}

pub(in crate::read_store) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A row of `orders`.
pub(in crate::read_store) fn order(id: &str, total: i64) -> Row {
    Row {
        values: vec![text(id), Value::Integer(total)],
        ..Row::default()
    }
}

pub(in crate::read_store) fn at(position: u64) -> Checkpoint {
    Checkpoint::at(Position(position))
}

pub(in crate::read_store) fn projector(name: &str) -> ProjectorName {
    ProjectorName::new(name).unwrap()
}

/// Writes of rows into the first table.
pub(in crate::read_store) fn puts(rows: impl IntoIterator<Item = Row>) -> Changes {
    changes(rows, [])
}

/// Writes and removals in the first table.
pub(in crate::read_store) fn changes<'a>(
    rows: impl IntoIterator<Item = Row>,
    removed: impl IntoIterator<Item = &'a str>,
) -> Changes {
    Changes {
        tables: vec![TableChanges {
            table: 0,
            puts: rows.into_iter().map(Arc::new).collect(),
            removes: removed.into_iter().map(|id| vec![text(id)]).collect(),
        }],
        ..Changes::default()
    }
}

/// A generation being written to.
pub(in crate::read_store) struct Open {
    pub(in crate::read_store) id: GenerationId,
    pub(in crate::read_store) claim: Claim,
    pub(in crate::read_store) writer: Box<dyn Writer>,
}

/// Begins a generation and claims it.
pub(in crate::read_store) async fn begin(store: &dyn ReadStore, description: &Description) -> Open {
    let digest = Digest::of(description.version.to_string().as_bytes());
    let newest = newest(store, &description.name).await;
    let begun = store.begin_generation(description, &digest, newest).await;
    reopen(store, begun.unwrap(), description).await
}

/// The newest generation of a projector.
pub(in crate::read_store) async fn newest(
    store: &dyn ReadStore,
    name: &ProjectorName,
) -> Option<GenerationId> {
    let records = store.projectors().await.unwrap();
    let record = records.iter().find(|record| record.name == *name)?;
    record.newest().map(|generation| generation.id)
}

/// A start of a host.
pub(in crate::read_store) fn owner(host: &str, instance: &str) -> Owner {
    Owner {
        host: host.into(),
        instance: instance.into(),
    }
}

/// Takes a generation that nobody else holds for a new start of a host.
pub(in crate::read_store) async fn claim(
    store: &dyn ReadStore,
    id: GenerationId,
    host: &str,
) -> Claim {
    match store.claim(id, &owner(host, "first")).await.unwrap() {
        Claimed::Taken(claim) => claim,
        Claimed::Held { by } => panic!("generation {id} is held by {by}"),
    }
}

/// Claims a generation and opens a writer.
pub(in crate::read_store) async fn reopen(
    store: &dyn ReadStore,
    id: GenerationId,
    description: &Description,
) -> Open {
    let claim = claim(store, id, "tests").await;
    let writer = store.writer(&claim, &description.stored_tables()).unwrap();
    Open { id, claim, writer }
}

impl Open {
    /// Commits, from wherever the last commit through this value ended.
    pub(in crate::read_store) fn commit(
        &mut self,
        changes: &Changes,
        to: u64,
    ) -> Result<Committed, StoreError> {
        let to = at(to);
        let committed = commit(&mut *self.writer, changes, &self.claim.checkpoint, &to)?;
        if committed == Committed::Stored {
            self.claim.checkpoint = to;
        }
        Ok(committed)
    }

    /// Commits what must be stored.
    pub(in crate::read_store) fn store(&mut self, changes: &Changes, to: u64) {
        assert_eq!(self.commit(changes, to).unwrap(), Committed::Stored);
    }
}

/// Commits as a blocking thread would.
pub(in crate::read_store) fn commit(
    writer: &mut dyn Writer,
    changes: &Changes,
    from: &Checkpoint,
    to: &Checkpoint,
) -> Result<Committed, StoreError> {
    tokio::task::block_in_place(|| writer.commit(changes, from, to))
}

/// Reads rows of the first table by their keys, as a blocking thread would.
pub(in crate::read_store) fn look_up(
    reader: &mut dyn RowReader,
    ids: &[&str],
) -> Result<Vec<Option<Row>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| vec![text(id)]).collect();
    tokio::task::block_in_place(|| reader.get(0, &keys))
}

/// All rows under a reader's name, in key order.
pub(in crate::read_store) async fn rows(store: &dyn ReadStore, table: &str) -> Vec<Vec<Value>> {
    let query = Query {
        table: table.into(),
        ..Query::default()
    };
    store.query(&query).await.unwrap().rows
}

/// The values of rows as `rows` gives them.
pub(in crate::read_store) fn values(rows: impl IntoIterator<Item = Row>) -> Vec<Vec<Value>> {
    rows.into_iter().map(|row| row.values).collect()
}

/// What is recorded of a projector.
pub(in crate::read_store) async fn record(store: &dyn ReadStore, name: &str) -> ProjectorRecord {
    let records = store.projectors().await.unwrap();
    records
        .into_iter()
        .find(|record| record.name.as_str() == name)
        .unwrap()
}

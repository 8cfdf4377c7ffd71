//! The tables of a projector, checked.

use serde::{Deserialize, Serialize};

use super::value::ColumnType;

/// What stands behind a table's name in the name under which readers search.
const TEXT_SUFFIX: &str = "_text";

/// The column in which readers search.
pub const WORDS_COLUMN: &str = "words";

/// The column by which SQLite sorts what is found: less is better.
pub const RANK_COLUMN: &str = "rank";

/// A table that a projector declared and the host found sound.
///
/// In a tenant-keyed table the host has put the column `tenant` first, and
/// first in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The name that readers use.
    pub name: String,
    /// All columns, in order.
    pub columns: Vec<Column>,
    /// The key's columns, as indices into `columns`.
    pub key: Vec<usize>,
    /// Secondary indexes.
    pub indexes: Vec<Index>,
    /// Whether the first column is the tenant, set by the host.
    pub tenant_keyed: bool,
    /// Whether the first column (after the tenant) is the stream, set by the host.
    #[serde(default)]
    pub stream_keyed: bool,
    /// Whether rows carry an entity version.
    pub guarded: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether null is allowed.
    pub nullable: bool,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// What is indexed, in order. In a tenant-keyed table the tenant leads, put
    /// there by the host; not in a text index.
    pub columns: Vec<IndexColumn>,
    /// What it is for.
    pub kind: IndexKind,
}

/// What a secondary index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexKind {
    /// Rows are found by equality, by range and in order.
    #[default]
    Ordered,
    /// The same; and no two rows may share the same values.
    Unique,
    /// Rows are found by words.
    Text,
}

impl Index {
    /// Whether no two rows may share the same values.
    pub fn is_unique(&self) -> bool {
        self.kind == IndexKind::Unique
    }
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// The column, as an index into the table's columns.
    pub column: usize,
    /// For a JSON column, the path within, such as `$.address.city`.
    pub path: Option<String>,
    /// Whether the index runs downwards.
    pub descending: bool,
}

impl Table {
    /// How many columns stand before those that the projector declared: the
    /// host's `tenant` and `stream`, as far as the table is keyed by them.
    pub fn host_columns(&self) -> usize {
        usize::from(self.tenant_keyed) + usize::from(self.stream_keyed)
    }

    /// The place of the host's `tenant` column, if there is one.
    pub fn tenant_column(&self) -> Option<usize> {
        self.tenant_keyed.then_some(0)
    }

    /// The place of the host's `stream` column, if there is one: after `tenant`.
    pub fn stream_column(&self) -> Option<usize> {
        self.stream_keyed.then_some(usize::from(self.tenant_keyed))
    }

    /// The index by whose words rows are found, if there is one.
    pub fn text_index(&self) -> Option<&Index> {
        self.indexes
            .iter()
            .find(|index| index.kind == IndexKind::Text)
    }

    /// The name under which readers search, if there is a text index.
    pub fn text_name(&self) -> Option<String> {
        let name = |_| format!("{}{TEXT_SUFFIX}", self.name);
        self.text_index().map(name)
    }

    /// All names that readers know the table by.
    pub fn readers_names(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.name.clone()).chain(self.text_name())
    }

    /// Whether a column is part of the key.
    pub fn is_key(&self, column: usize) -> bool {
        self.key.contains(&column)
    }
}

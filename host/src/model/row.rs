//! Rows, and what one commit does to them.

use std::sync::Arc;

use super::dead_letter::DeadLetterChanges;
use super::order::WaitingChanges;
use super::value::Value;

/// One row of a read model: a value for each column of its table, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The values, in the order of the table's columns.
    pub values: Vec<Value>,
    /// For guarded tables, the entity version of the command that wrote it.
    pub version: u64,
    /// For guarded tables, whether this is only the memory of a deleted row: a
    /// tombstone, so that an older command cannot bring the row back.
    pub deleted: bool,
}

impl Row {
    /// The bytes the row takes in memory, about.
    pub fn weight(&self) -> usize {
        size_of::<Row>() + self.values.iter().map(Value::weight).sum::<usize>()
    }
}

/// What one commit does to the rows of one table. Each row occurs at most once.
#[derive(Debug, Clone, Default)]
pub struct TableChanges {
    /// The index of the table in the description.
    pub table: usize,
    /// Rows to write whole, new or not.
    pub puts: Vec<Arc<Row>>,
    /// The keys of rows to remove, each with its values in key order.
    pub removes: Vec<Vec<Value>>,
}

/// What one commit does to the rows of a projector.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// By table; a table without changes is left out.
    pub tables: Vec<TableChanges>,
    /// What it does to events that were set aside.
    pub dead_letters: DeadLetterChanges,
    /// What it does to events that wait for an earlier version of their entity.
    pub waiting: WaitingChanges,
}

impl Changes {
    /// How many rows are written or removed.
    pub fn len(&self) -> usize {
        self.tables
            .iter()
            .map(|t| t.puts.len() + t.removes.len())
            .sum()
    }

    /// Whether there is no row to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

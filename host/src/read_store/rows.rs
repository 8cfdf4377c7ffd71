//! Rows on their way into a database.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{Row, Table, Value};

/// Rows in the order in which databases keep their keys, so that neighbours go
/// to the same page while it is at hand.
pub(super) fn in_key_order<'a>(table: &Table, rows: &'a [Arc<Row>]) -> Vec<&'a Row> {
    let mut rows: Vec<&Row> = rows.iter().map(|row| &**row).collect();
    rows.sort_unstable_by(|a, b| compare_keys(table, a, b));
    rows
}

fn compare_keys(table: &Table, a: &Row, b: &Row) -> Ordering {
    let compare = |column: usize| match (&a.values[column], &b.values[column]) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        // No key holds anything else; and the order is for speed alone.
        _ => Ordering::Equal,
    };
    let columns = table.key.iter().map(|&column| compare(column));
    columns
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

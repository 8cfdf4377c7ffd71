//! The statements that write and read the rows of one table.

use rusqlite::{CachedStatement, Connection};

use super::value::bind;
use crate::model::{GenerationId, Table, Value};
use crate::read_store::schema::{
    DELETED_COLUMN, VERSION_COLUMN, column_names, has_unique_index, key_names, physical_table,
    quoted, quoted_list,
};

/// One table of a generation and the text of its statements.
#[derive(Debug)]
pub(super) struct TableStatements {
    pub(super) table: Table,
    /// Writes a row whole, whether it is new or not.
    pub(super) put: String,
    /// Removes a row by its key.
    pub(super) remove: String,
    /// Reads a row by its key: all columns, then version and tombstone of a
    /// guarded table.
    pub(super) get: String,
}

impl TableStatements {
    pub(super) fn new(generation: GenerationId, table: &Table) -> Self {
        let physical = quoted(&physical_table(generation, &table.name));
        let hidden = [VERSION_COLUMN, DELETED_COLUMN];
        let hidden = hidden.into_iter().filter(|_| table.guarded);
        let columns: Vec<&str> = column_names(table).chain(hidden).collect();
        let is_key: Vec<String> = key_names(table)
            .map(|name| format!("{} = ?", quoted(name)))
            .collect();
        let is_key = is_key.join(" AND ");
        Self {
            put: put(table, &physical, &columns),
            remove: format!("DELETE FROM {physical} WHERE {is_key}"),
            get: format!(
                "SELECT {} FROM {physical} WHERE {is_key}",
                quoted_list(columns)
            ),
            table: table.clone(),
        }
    }

    /// Binds a key whose values come in key order.
    pub(super) fn bind_key<'a>(
        &self,
        statement: &mut CachedStatement<'_>,
        key: impl Iterator<Item = &'a Value>,
    ) -> rusqlite::Result<()> {
        for (i, (&column, value)) in self.table.key.iter().zip(key).enumerate() {
            bind(
                statement,
                i + 1,
                self.table.columns[column].column_type,
                value,
            )?;
        }
        Ok(())
    }
}

/// Makes room for the statements of so many tables to stay prepared.
pub(super) fn keep_prepared(connection: &Connection, tables: usize) {
    // Two for the rows of each table, and some for fence and checkpoint.
    connection.set_prepared_statement_cache_capacity(tables * 2 + 8);
}

/// `REPLACE` on a table without a rowid and without indexes overwrites in place
/// after a single descent: a sixth cheaper than an upsert, where rows are
/// changed as often as made. (A plain `INSERT` into an empty table gains hardly
/// anything; many rows in one statement gain a tenth or two when keys come in
/// order, and lose as much when they do not.) Where a unique index is declared it
/// would silently delete the row that is in the way, so there the conflict on
/// the key, and only that one, is resolved. It would also give a row a new number
/// without telling the text index, to which rows are known by theirs.
fn put(table: &Table, physical: &str, columns: &[&str]) -> String {
    let names = quoted_list(columns.iter().copied());
    let values = vec!["?"; columns.len()].join(", ");
    if !has_unique_index(table) && table.text_index().is_none() {
        return format!("REPLACE INTO {physical} ({names}) VALUES ({values})");
    }
    let key: Vec<&str> = key_names(table).collect();
    let others = columns.iter().filter(|name| !key.contains(name));
    let set: Vec<String> = others
        .map(|name| format!("{0} = excluded.{0}", quoted(name)))
        .collect();
    let action = if set.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {}", set.join(", "))
    };
    format!(
        "INSERT INTO {physical} ({names}) VALUES ({values}) ON CONFLICT ({}) DO {action}",
        quoted_list(key),
    )
}

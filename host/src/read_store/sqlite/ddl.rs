//! Declared tables as SQLite tables, indexes and views.

use super::text;
use crate::model::{Column, ColumnType, GenerationId, Index, Table};
use crate::read_store::schema::{
    DELETED_COLUMN, ROW_COLUMN, VERSION_COLUMN, column_names, key_names, physical_index,
    physical_table, quoted, quoted_list,
};

/// Makes the physical table. Rows are kept in the order of their key, without a
/// hidden row number, so that each is found and written in one descent; but a
/// text index needs the number.
pub(super) fn create_table(generation: GenerationId, table: &Table) -> String {
    let mut columns: Vec<String> = table.columns.iter().map(column).collect();
    if table.guarded {
        columns.push(format!("{} INTEGER NOT NULL", quoted(VERSION_COLUMN)));
        columns.push(format!("{} INTEGER NOT NULL", quoted(DELETED_COLUMN)));
    }
    let (key, kind) = match table.text_index() {
        Some(_) => {
            columns.push(format!("{} INTEGER PRIMARY KEY", quoted(ROW_COLUMN)));
            ("UNIQUE", "STRICT")
        }
        None => ("PRIMARY KEY", "STRICT, WITHOUT ROWID"),
    };
    format!(
        "CREATE TABLE {} ({}, {key} ({})) {kind}",
        quoted(&physical_table(generation, &table.name)),
        columns.join(", "),
        quoted_list(key_names(table)),
    )
}

/// Makes one secondary index, unless it is there. Text indexes are made by
/// [`super::text`].
///
/// In a guarded table it leaves out tombstones: a deleted row may hold no unique
/// value back, and readers, whose view has the same condition, never look for one.
pub(super) fn create_index(
    generation: GenerationId,
    table: usize,
    declared: &Table,
    index: usize,
) -> String {
    let name = physical_index(generation, table, index);
    let index = &declared.indexes[index];
    let parts: Vec<String> = index_parts(declared, index).collect();
    let unique = if index.is_unique() { "UNIQUE " } else { "" };
    format!(
        "CREATE {unique}INDEX IF NOT EXISTS {} ON {} ({}){}",
        quoted(&name),
        quoted(&physical_table(generation, &declared.name)),
        parts.join(", "),
        without_tombstones(declared),
    )
}

/// Makes a table, its text index if it has one, both without rows.
pub(super) fn create_all(generation: GenerationId, at: usize, table: &Table) -> Vec<String> {
    let mut sql = vec![create_table(generation, table)];
    sql.extend(text::create(generation, at, table));
    sql
}

/// Gives the readers' names to a generation's table.
pub(super) fn create_views(generation: GenerationId, at: usize, table: &Table) -> Vec<String> {
    let mut sql = vec![create_view(generation, table)];
    sql.extend(text::create_view(generation, at, table));
    sql
}

fn create_view(generation: GenerationId, table: &Table) -> String {
    format!(
        "CREATE VIEW {} AS SELECT {} FROM {}{}",
        quoted(&table.name),
        quoted_list(column_names(table)),
        quoted(&physical_table(generation, &table.name)),
        without_tombstones(table),
    )
}

/// The condition that leaves tombstones out, if there can be any. SQLite finds an
/// index by a view only where both say it in the same words.
fn without_tombstones(table: &Table) -> String {
    match table.guarded {
        true => format!(" WHERE {} = 0", quoted(DELETED_COLUMN)),
        false => String::new(),
    }
}

/// Takes the readers' names of a table away.
pub(super) fn drop_views(table: &Table) -> Vec<String> {
    let names = table.readers_names();
    names
        .map(|name| format!("DROP VIEW IF EXISTS {}", quoted(&name)))
        .collect()
}

fn column(column: &Column) -> String {
    let storage = match column.column_type {
        ColumnType::Boolean | ColumnType::Integer => "INTEGER",
        ColumnType::Float => "REAL",
        ColumnType::Bytes => "BLOB",
        ColumnType::Decimal
        | ColumnType::Text
        | ColumnType::Timestamp
        | ColumnType::Uuid
        | ColumnType::Json => "TEXT",
    };
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{} {storage}{null}", quoted(&column.name))
}

fn index_parts(table: &Table, index: &Index) -> impl Iterator<Item = String> {
    index.columns.iter().map(|part| {
        let column = quoted(&table.columns[part.column].name);
        let direction = if part.descending { " DESC" } else { "" };
        match &part.path {
            // The model lets no quote into a path.
            Some(path) => format!("json_extract({column}, '{path}'){direction}"),
            None => format!("{column}{direction}"),
        }
    })
}

//! Declared tables as PostgreSQL tables, indexes and views.

use super::binary::sql_type;
use super::space::Space;
use super::text;
use crate::model::{
    Column, ColumnType, GenerationId, Index, IndexColumn, IndexKind, Table, WORDS_COLUMN,
};
use crate::read_store::schema::{
    DELETED_COLUMN, VERSION_COLUMN, column_names, key_names, physical_index, quoted, quoted_list,
};

/// Makes the physical table, without its key: see [`create_key`].
pub(super) fn create_table(space: &Space, generation: GenerationId, table: &Table) -> String {
    let mut columns: Vec<String> = table.columns.iter().map(column).collect();
    if table.guarded {
        columns.push(format!("{} bigint NOT NULL", quoted(VERSION_COLUMN)));
        columns.push(format!("{} boolean NOT NULL", quoted(DELETED_COLUMN)));
    }
    format!(
        "CREATE TABLE {} ({})",
        space.physical(generation, &table.name),
        columns.join(", "),
    )
}

/// Makes a table's key. It is a unique index and not a constraint, as to add a
/// constraint locks readers out, and none of them sees it anyway.
pub(super) fn create_key(
    space: &Space,
    generation: GenerationId,
    table: usize,
    declared: &Table,
) -> String {
    format!(
        "CREATE UNIQUE INDEX {} ON {} ({})",
        quoted(&format!("lantern_k{generation}_{table}")),
        space.physical(generation, &declared.name),
        quoted_list(key_names(declared)),
    )
}

/// Makes one secondary index, unless it is there.
///
/// In a guarded table it leaves out tombstones: a deleted row may hold no unique
/// value back, and readers, whose view has the same condition, never look for one.
pub(super) fn create_index(
    space: &Space,
    generation: GenerationId,
    table: usize,
    declared: &Table,
    index: usize,
) -> String {
    let name = physical_index(generation, table, index);
    let index = &declared.indexes[index];
    let unique = if index.is_unique() { "UNIQUE " } else { "" };
    format!(
        "CREATE {unique}INDEX IF NOT EXISTS {} ON {} {}",
        quoted(&name),
        space.physical(generation, &declared.name),
        index_on(declared, index),
    )
}

fn index_on(declared: &Table, index: &Index) -> String {
    // None only where there is no text index, so that this is none either.
    let text = text::index_on(declared).filter(|_| index.kind == IndexKind::Text);
    text.unwrap_or_else(|| {
        let parts: Vec<String> = index_parts(declared, index).collect();
        format!("({}){}", parts.join(", "), without_tombstones(declared))
    })
}

/// A view that readers know a table by.
#[derive(Debug, Clone)]
pub(super) struct Shown<'a> {
    /// Its name.
    pub(super) name: String,
    /// The table.
    pub(super) table: &'a Table,
    /// Whether it is the one for searching.
    is_text: bool,
}

impl<'a> Shown<'a> {
    /// The views of some tables.
    pub(super) fn all(tables: &'a [Table]) -> Vec<Self> {
        tables.iter().flat_map(Self::of).collect()
    }

    /// The views of a table.
    pub(super) fn of(table: &'a Table) -> impl Iterator<Item = Self> {
        let names = table.readers_names().enumerate();
        names.map(move |(i, name)| Shown {
            name,
            table,
            is_text: i > 0,
        })
    }

    /// Name and type of each column, in order.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let words = self.is_text.then_some((WORDS_COLUMN, "tsvector"));
        let columns = self.table.columns.iter();
        columns
            .map(|column| (column.name.as_str(), sql_type(column.column_type)))
            .chain(words)
    }

    /// What it shows of a generation's table.
    pub(super) fn query(&self, space: &Space, generation: GenerationId) -> String {
        let text = text::view_query(space, generation, self.table).filter(|_| self.is_text);
        text.unwrap_or_else(|| view_query(space, generation, self.table))
    }

    /// Gives a readers' name that nobody has to a generation's table.
    pub(super) fn create(&self, space: &Space, generation: GenerationId) -> String {
        let query = self.query(space, generation);
        format!("CREATE VIEW {} AS {query}", space.name(&self.name))
    }
}

/// What a readers' view shows of a generation's table.
///
/// The empty row that stands beside the table costs the planner nothing, and
/// makes the view one that cannot be written to: of a plain one the server would
/// pass writes on to the table.
fn view_query(space: &Space, generation: GenerationId, table: &Table) -> String {
    format!(
        "SELECT {} FROM {}, (SELECT) AS read_only{}",
        quoted_list(column_names(table)),
        space.physical(generation, &table.name),
        without_tombstones(table),
    )
}

/// The condition that leaves tombstones out, if there can be any.
fn without_tombstones(table: &Table) -> String {
    match table.guarded {
        true => format!(" WHERE NOT {}", quoted(DELETED_COLUMN)),
        false => String::new(),
    }
}

fn column(column: &Column) -> String {
    let (name, kind) = (quoted(&column.name), sql_type(column.column_type));
    let null = if column.nullable { "" } else { " NOT NULL" };
    match column.column_type {
        // Byte by byte: the same order as everywhere else, whatever the locale,
        // and indexes that serve prefixes.
        ColumnType::Text => format!("{name} {kind} COLLATE \"C\"{null}"),
        _ => format!("{name} {kind}{null}"),
    }
}

fn index_parts(table: &Table, index: &Index) -> impl Iterator<Item = String> {
    index.columns.iter().map(|part| {
        let column = quoted(&table.columns[part.column].name);
        let direction = if part.descending { " DESC" } else { "" };
        match json_path(part) {
            // The operators of patterns compare byte by byte and serve equality
            // under any collation; so the expression can stay as people write it.
            Some(path) => format!("({column} {path}) text_pattern_ops{direction}"),
            None => format!("{column}{direction}"),
        }
    })
}

/// The way into a document as people would write it: `->> 'city'`, or
/// `#>> '{address,city}'` where it is longer.
fn json_path(part: &IndexColumn) -> Option<String> {
    let path = part.path.as_deref()?;
    // `$.items[0].sku`; the model lets in nothing that would need escaping.
    let path = path.strip_prefix("$.").unwrap_or(path);
    let steps: Vec<&str> = path
        .split(['.', '[', ']'])
        .filter(|step| !step.is_empty())
        .collect();
    Some(match steps.as_slice() {
        [member] => format!("->> '{member}'"),
        steps => format!("#>> '{{{}}}'", steps.join(",")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_people_write_them() {
        let path = |path: &str| {
            json_path(&IndexColumn {
                column: 0,
                path: Some(path.into()),
                descending: false,
            })
            .unwrap()
        };
        assert_eq!(path("$.city"), "->> 'city'");
        assert_eq!(path("$.address.city"), "#>> '{address,city}'");
        assert_eq!(path("$.items[0][12].sku"), "#>> '{items,0,12,sku}'");
    }
}

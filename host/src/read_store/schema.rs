//! What the tables behind a read model are called, the same in every database.
//!
//! Readers see a view under the name that the projector declared. Behind it
//! stands one physical table per generation, so that a generation can be filled
//! while readers look at another.

use crate::model::{GenerationId, Index, Table};

/// The column of a guarded table that holds the entity version.
pub(super) const VERSION_COLUMN: &str = "lantern_version";

/// The column of a guarded table that marks a tombstone.
pub(super) const DELETED_COLUMN: &str = "lantern_deleted";

/// The column of a table with a text index by which SQLite's index names a row.
pub(super) const ROW_COLUMN: &str = "lantern_row";

const TABLE_PREFIX: &str = "lantern_g";
const TEXT_PREFIX: &str = "lantern_t";

/// The physical table of a generation's table.
pub(super) fn physical_table(generation: GenerationId, table: &str) -> String {
    format!("{TABLE_PREFIX}{generation}_{table}")
}

/// The generation that a physical table was made for; `None` for any other
/// name, such as that of a system table.
pub(super) fn generation_of(physical: &str) -> Option<GenerationId> {
    let (number, _) = physical.strip_prefix(TABLE_PREFIX)?.split_once('_')?;
    number.parse().ok().map(GenerationId)
}

/// The name of an index, by the places of table and index in the description.
///
/// It does not hold the table's name: with it, the longest would pass the 63
/// bytes that PostgreSQL keeps of a name.
pub(super) fn physical_index(generation: GenerationId, table: usize, index: usize) -> String {
    format!("lantern_i{generation}_{table}_{index}")
}

/// The name of the text index of a table, by the table's place in the
/// description. In SQLite it is a table, with tables of its own beside it.
pub(super) fn physical_text(generation: GenerationId, table: usize) -> String {
    format!("{TEXT_PREFIX}{generation}_{table}")
}

/// The generation that a text index in SQLite was made for; `None` for any other
/// name, such as that of a table beside it.
pub(super) fn generation_of_text(physical: &str) -> Option<GenerationId> {
    let (generation, table) = physical.strip_prefix(TEXT_PREFIX)?.split_once('_')?;
    let is_number = table.bytes().all(|b| b.is_ascii_digit());
    generation
        .parse()
        .ok()
        .filter(|_| is_number)
        .map(GenerationId)
}

/// A name as SQL takes it whatever it holds.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names, quoted and separated by commas.
pub(super) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The names of all columns of a table.
pub(super) fn column_names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().map(|column| column.name.as_str())
}

/// The names of the key's columns, in key order.
pub(super) fn key_names(table: &Table) -> impl Iterator<Item = &str> {
    table
        .key
        .iter()
        .map(|&column| table.columns[column].name.as_str())
}

/// Whether any secondary index of a table is unique.
pub(super) fn has_unique_index(table: &Table) -> bool {
    table.indexes.iter().any(Index::is_unique)
}

/// The columns of an index as a person reads them: `tenant, address $.city`.
pub(super) fn shown_columns(table: &Table, index: &Index) -> String {
    let shown = index.columns.iter().map(|part| {
        let name = &table.columns[part.column].name;
        part.path
            .as_ref()
            .map_or_else(|| name.clone(), |path| format!("{name} {path}"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The columns of all unique indexes of a table, where it is not known which of
/// them refused.
pub(super) fn shown_unique_columns(table: &Table) -> String {
    let unique = table.indexes.iter().filter(|index| index.is_unique());
    let shown: Vec<String> = unique.map(|index| shown_columns(table, index)).collect();
    shown.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_physical_tables_are_taken_for_such() {
        assert_eq!(generation_of("lantern_g12_orders"), Some(GenerationId(12)));
        assert_eq!(generation_of("lantern_generations"), None);
        assert_eq!(generation_of("orders"), None);
        assert_eq!(generation_of_text("lantern_t12_0"), Some(GenerationId(12)));
        for other in ["lantern_t12_0_data", "lantern_tables", "lantern_g12_t"] {
            assert_eq!(generation_of_text(other), None, "{other}");
        }
        let longest = physical_table(GenerationId(9_999_999_999_999), &"t".repeat(40));
        assert!(longest.len() <= 63);
    }
}

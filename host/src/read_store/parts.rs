//! Statements about the rows of a part: one tenant's, one stream's.
//!
//! The texts are the same in every database, save for the marks of their
//! parameters.

use super::schema::{DELETED_COLUMN, VERSION_COLUMN, column_names, quoted, quoted_list};
use crate::model::{Part, Table};

/// A statement, and the values of its parameters in their order.
pub(super) struct Asked<'a> {
    pub(super) sql: String,
    pub(super) values: Vec<&'a str>,
}

/// Removes the part's rows from a physical table.
pub(super) fn remove<'a>(physical: &str, table: &Table, part: &'a Part, mark: char) -> Asked<'a> {
    about(&format!("DELETE FROM {physical}"), table, Some(part), mark)
}

/// Copies the part's rows from one physical table into another. Hidden columns
/// go along: tombstones and versions are part of what rows are.
pub(super) fn copy<'a>(
    (from, to): (&str, &str),
    table: &Table,
    part: &'a Part,
    mark: char,
) -> Asked<'a> {
    let hidden = [VERSION_COLUMN, DELETED_COLUMN];
    let hidden = hidden.into_iter().filter(|_| table.guarded);
    let columns = quoted_list(column_names(table).chain(hidden));
    let copy = format!("INSERT INTO {to} ({columns}) SELECT {columns} FROM {from}");
    about(&copy, table, Some(part), mark)
}

/// Counts the rows of a physical table: all, or a part's.
pub(super) fn count<'a>(
    physical: &str,
    table: &Table,
    part: Option<&'a Part>,
    mark: char,
) -> Asked<'a> {
    about(
        &format!("SELECT count(*) FROM {physical}"),
        table,
        part,
        mark,
    )
}

fn about<'a>(statement: &str, table: &Table, part: Option<&'a Part>, mark: char) -> Asked<'a> {
    let columns = part.map(|part| part.columns(table)).unwrap_or_default();
    let conditions: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(i, (column, _))| {
            let name = quoted(&table.columns[*column].name);
            format!("{name} = {mark}{}", i + 1)
        })
        .collect();
    // A part whose columns a table does not have is no reason to take all of it.
    let only = match (part, conditions.is_empty()) {
        (None, _) => String::new(),
        (Some(_), true) => " WHERE 1 = 0".into(),
        (Some(_), false) => format!(" WHERE {}", conditions.join(" AND ")),
    };
    Asked {
        sql: format!("{statement}{only}"),
        values: columns.into_iter().map(|(_, value)| value).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColumnType, RawDescription, RawTable};

    fn table(tenant_keyed: bool, stream_keyed: bool) -> Table {
        let raw = RawTable {
            name: "orders".into(),
            columns: vec![("id".into(), ColumnType::Text, false)],
            key: vec!["id".into()],
            tenant_keyed,
            stream_keyed,
            ..RawTable::default()
        };
        let description = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            tables: vec![raw],
            ..RawDescription::default()
        };
        description.check().unwrap().tables.remove(0)
    }

    #[test]
    fn a_part_is_found_by_the_hosts_columns_and_never_by_none() {
        let part = Part {
            tenant: Some("a".into()),
            stream: Some("s".into()),
        };
        let asked = |table: &Table| {
            let asked = remove("t", table, &part, '?');
            (asked.sql, asked.values)
        };
        assert_eq!(
            asked(&table(true, true)),
            (
                "DELETE FROM t WHERE \"tenant\" = ?1 AND \"stream\" = ?2".into(),
                vec!["a", "s"]
            )
        );
        assert_eq!(
            asked(&table(false, true)),
            ("DELETE FROM t WHERE \"stream\" = ?1".into(), vec!["s"])
        );
        assert_eq!(
            asked(&table(false, false)).0,
            "DELETE FROM t WHERE 1 = 0",
            "nothing is taken that cannot be told apart"
        );
    }
}

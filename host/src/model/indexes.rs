//! Checks the indexes that a projector declares.

use super::member::MemberPath;
use super::projector::shown;
use super::table::{Column, Index, IndexColumn, IndexKind, RANK_COLUMN, WORDS_COLUMN};
use super::value::ColumnType;

/// The kind of an index, and column, JSON path and direction of each part, as a
/// projector describes it.
type RawIndex = (IndexKind, Vec<(String, Option<String>, bool)>);

/// Checks the indexes of one table against its columns; says what is wrong. Before
/// the parts of each stands the place of the host's tenant column, if there is one.
pub(super) fn check_indexes(
    raw: &[RawIndex],
    columns: &[Column],
    tenant: Option<usize>,
) -> Result<Vec<Index>, String> {
    let text_indexes = raw.iter().filter(|(kind, _)| *kind == IndexKind::Text);
    if text_indexes.count() > 1 {
        return Err("it has two text indexes; name all columns to be searched in one".into());
    }
    raw.iter()
        .map(|index| Ok(of_one_tenant(check_index(index, columns)?, tenant)))
        .collect()
}

/// Refuses columns whose names readers, or SQLite, could not tell from those that
/// a text index has itself.
pub(super) fn check_readers_columns(indexes: &[Index], columns: &[Column]) -> Result<(), String> {
    if !indexes.iter().any(|index| index.kind == IndexKind::Text) {
        return Ok(());
    }
    match [WORDS_COLUMN, RANK_COLUMN, "rowid"]
        .into_iter()
        .find(|&name| find(columns, name).is_some())
    {
        Some(name) => Err(format!(
            "column `{name}` has a name that its text index keeps for itself; call it otherwise"
        )),
        None => Ok(()),
    }
}

/// The place of a column.
pub(super) fn find(columns: &[Column], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name == name)
}

fn check_index((kind, parts): &RawIndex, columns: &[Column]) -> Result<Index, String> {
    if parts.is_empty() {
        return Err("an index has no column".into());
    }
    let mut index = Index {
        columns: Vec::new(),
        kind: *kind,
    };
    for (name, path, descending) in parts {
        let at = find(columns, name)
            .ok_or_else(|| format!("index column `{}` is not declared", shown(name)))?;
        if *kind == IndexKind::Text {
            check_text_part(&columns[at], path.is_some() || *descending)?;
            if index.columns.iter().any(|part| part.column == at) {
                return Err(format!("column `{name}` stands twice in its text index"));
            }
        } else if let Some(path) = path {
            check_path(path, columns[at].column_type)?;
        }
        index.columns.push(IndexColumn {
            column: at,
            path: path.clone(),
            descending: *descending,
        });
    }
    Ok(index)
}

/// Puts the tenant before what is indexed: tenants must not meet in each other's
/// unique values, and readers ask for one tenant's rows. Words have no order that
/// it could lead; and who names the tenant in an index has said where it stands.
fn of_one_tenant(mut index: Index, tenant: Option<usize>) -> Index {
    let Some(column) = tenant.filter(|_| index.kind != IndexKind::Text) else {
        return index;
    };
    if index.columns.iter().all(|part| part.column != column) {
        let lead = IndexColumn {
            column,
            path: None,
            descending: false,
        };
        index.columns.insert(0, lead);
    }
    index
}

/// Words have no direction, and only a text has words.
fn check_text_part(column: &Column, has_path_or_direction: bool) -> Result<(), String> {
    let name = &column.name;
    if has_path_or_direction {
        return Err(format!(
            "column `{name}` stands in its text index with a path or a direction, which only \
             other indexes have"
        ));
    }
    match column.column_type {
        ColumnType::Text => Ok(()),
        other => Err(format!(
            "column `{name}` of its text index is of type {other}; only text can be searched"
        )),
    }
}

fn check_path(path: &str, column_type: ColumnType) -> Result<(), String> {
    if column_type != ColumnType::Json {
        return Err(format!(
            "an index has the path {path:?} into a column of type {column_type}"
        ));
    }
    MemberPath::parse(path)
        .map(drop)
        .map_err(|error| format!("index {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RawDescription, RawTable};

    /// What is said against a table of texts and a number with these indexes.
    fn refused(indexes: Vec<RawIndex>, names: &[&str]) -> String {
        let columns = names
            .iter()
            .map(|name| ((*name).to_owned(), ColumnType::Text, false));
        let table = RawTable {
            name: "notes".into(),
            columns: columns
                .chain([("n".to_owned(), ColumnType::Integer, false)])
                .collect(),
            key: vec![names[0].into()],
            indexes,
            ..RawTable::default()
        };
        let raw = RawDescription {
            name: "notes".into(),
            version: "1.0.0".into(),
            tables: vec![table],
            ..RawDescription::default()
        };
        raw.check()
            .map_or_else(|error| error.to_string(), |_| "sound".into())
    }

    fn text(columns: &[&str]) -> RawIndex {
        let part = |name: &&str| ((*name).to_owned(), None, false);
        (IndexKind::Text, columns.iter().map(part).collect())
    }

    #[test]
    fn a_text_index_is_one_over_plain_texts() {
        let names = ["id", "body"];
        assert_eq!(refused(vec![text(&["id", "body"])], &names), "sound");
        let two = refused(vec![text(&["id"]), text(&["body"])], &names);
        assert!(two.contains("two text indexes"), "{two}");
        let number = refused(vec![text(&["n"])], &names);
        assert!(number.contains("of type integer"), "{number}");
        let twice = refused(vec![text(&["id", "id"])], &names);
        assert!(twice.contains("stands twice"), "{twice}");
        let none = refused(vec![text(&[])], &names);
        assert!(none.contains("no column"), "{none}");
        for part in [
            ("body".to_owned(), Some("$.a".to_owned()), false),
            ("body".to_owned(), None, true),
        ] {
            let said = refused(vec![(IndexKind::Text, vec![part])], &names);
            assert!(said.contains("path or a direction"), "{said}");
        }
    }

    #[test]
    fn the_tenant_leads_each_index_that_has_an_order() {
        let part = |name: &str| (name.to_owned(), None, false);
        let mut raw = RawTable {
            name: "notes".into(),
            columns: vec![
                ("id".into(), ColumnType::Text, false),
                ("body".into(), ColumnType::Text, false),
            ],
            key: vec!["id".into()],
            indexes: vec![
                (IndexKind::Unique, vec![part("body")]),
                (IndexKind::Ordered, vec![part("body"), part("id")]),
                (IndexKind::Ordered, vec![part("body"), part("tenant")]),
                text(&["body"]),
            ],
            tenant_keyed: true,
            stream_keyed: true,
            ..RawTable::default()
        };
        // tenant, stream, id, body
        let places = |raw: RawTable| -> Vec<Vec<usize>> {
            let raw = RawDescription {
                name: "notes".into(),
                version: "1.0.0".into(),
                tables: vec![raw],
                ..RawDescription::default()
            };
            let indexes = raw.check().unwrap().tables.remove(0).indexes;
            let places = |index: Index| index.columns.into_iter().map(|part| part.column);
            indexes
                .into_iter()
                .map(|index| places(index).collect())
                .collect()
        };
        let led = [vec![0, 3], vec![0, 3, 2], vec![3, 0], vec![3]];
        assert_eq!(places(raw.clone()), led);
        raw.tenant_keyed = false;
        raw.indexes.remove(2);
        assert_eq!(places(raw), [vec![2], vec![2, 1], vec![2]]);
    }

    #[test]
    fn names_that_readers_of_words_see_are_kept() {
        for name in ["words", "rank", "rowid"] {
            let said = refused(vec![text(&["id"])], &["id", name]);
            assert!(said.contains(name), "{said}");
            assert_eq!(refused(vec![], &["id", name]), "sound");
        }
    }

    #[test]
    fn the_name_of_a_text_index_is_no_other_tables() {
        let table = |name: &str, indexes| RawTable {
            name: name.into(),
            columns: vec![("id".into(), ColumnType::Text, false)],
            key: vec!["id".into()],
            indexes,
            ..RawTable::default()
        };
        let raw = RawDescription {
            name: "notes".into(),
            version: "1.0.0".into(),
            tables: vec![
                table("notes", vec![text(&["id"])]),
                table("notes_text", vec![]),
            ],
            ..RawDescription::default()
        };
        let error = raw.check().unwrap_err().to_string();
        assert_eq!(error, "table `notes_text` is declared twice");
    }
}

//! Checks the indexes that a projector declares.

use super::member::MemberPath;
use super::projector::shown;
use super::table::{Column, Index, IndexColumn, IndexKind, RANK_COLUMN, WORDS_COLUMN};
use super::value::ColumnType;

/// The kind of an index, and column, JSON path and direction of each part, as a
/// projector describes it.
type RawIndex = (IndexKind, Vec<(String, Option<String>, bool)>);

/// Checks the indexes of one table against its columns; says what is wrong.
pub(super) fn check_indexes(raw: &[RawIndex], columns: &[Column]) -> Result<Vec<Index>, String> {
    let text_indexes = raw.iter().filter(|(kind, _)| *kind == IndexKind::Text);
    if text_indexes.count() > 1 {
        return Err("it has two text indexes; name all columns to be searched in one".into());
    }
    raw.iter()
        .map(|index| check_index(index, columns))
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

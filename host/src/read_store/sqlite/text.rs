//! Text indexes in SQLite: FTS5 tables that hold the words and leave the texts
//! in the physical table.
//!
//! FTS5 names a row by its number, so a table with a text index has one, unlike
//! all others. Triggers keep the words of a row in step with it, in the
//! transaction that writes it. They are made after the first fill, as other
//! indexes are; until then the index is there and empty, so that the readers'
//! name is never one that does not work.

use crate::model::{GenerationId, RANK_COLUMN, Table, WORDS_COLUMN};
use crate::read_store::schema::{
    DELETED_COLUMN, ROW_COLUMN, column_names, physical_table, physical_text, quoted,
};

/// The tables that FTS5 keeps beside an index whose texts are elsewhere.
pub(super) const BESIDE: [&str; 4] = ["_data", "_idx", "_docsize", "_config"];

/// What splits texts into words: letters and digits belong to words, whatever
/// their script, and nothing else does. A letter with a diacritic is a letter of
/// its own, as it is to the other store.
const TOKENIZER: &str = "unicode61 remove_diacritics 0";

/// Makes the text index of a table, empty; `None` where none is declared.
pub(super) fn create(generation: GenerationId, at: usize, table: &Table) -> Option<String> {
    Some(format!(
        "CREATE VIRTUAL TABLE {} USING fts5({}, content={}, content_rowid={}, tokenize={})",
        quoted(&physical_text(generation, at)),
        searched(table)?.join(", "),
        quoted(&physical_table(generation, &table.name)),
        quoted(ROW_COLUMN),
        quoted(TOKENIZER),
    ))
}

/// Fills the index from the rows there are and has it follow them from then on.
/// Repeatable; one transaction.
pub(super) fn fill_and_follow(
    generation: GenerationId,
    at: usize,
    table: &Table,
) -> Option<String> {
    let index = quoted(&physical_text(generation, at));
    let physical = quoted(&physical_table(generation, &table.name));
    let names = searched(table)?;
    let columns = names.join(", ");
    let of = |row: &str| -> String {
        let values = names.iter().map(|name| format!("{row}.{name}"));
        values.collect::<Vec<_>>().join(", ")
    };
    let differs: Vec<String> = names
        .iter()
        .map(|name| format!("old.{name} IS NOT new.{name}"))
        .collect();
    let row = quoted(ROW_COLUMN);
    let add = format!(
        "INSERT INTO {index} (rowid, {columns}) VALUES (new.{row}, {});",
        of("new")
    );
    // FTS5 takes a row's words out when it is told what they were made of.
    let take = format!(
        "INSERT INTO {index} ({index}, rowid, {columns}) VALUES ('delete', old.{row}, {});",
        of("old")
    );
    let trigger = |event: &str| quoted(&format!("{}_{event}", physical_text(generation, at)));
    Some(format!(
        "INSERT INTO {index} ({index}) VALUES ('rebuild'); \
         CREATE TRIGGER IF NOT EXISTS {} AFTER INSERT ON {physical} BEGIN {add} END; \
         CREATE TRIGGER IF NOT EXISTS {} AFTER DELETE ON {physical} BEGIN {take} END; \
         CREATE TRIGGER IF NOT EXISTS {} AFTER UPDATE ON {physical} WHEN {} \
         BEGIN {take} {add} END",
        trigger("added"),
        trigger("removed"),
        trigger("changed"),
        differs.join(" OR "),
    ))
}

/// Gives the readers' name for searching to a generation's index.
pub(super) fn create_view(generation: GenerationId, at: usize, table: &Table) -> Option<String> {
    let index = physical_text(generation, at);
    let columns: Vec<String> = column_names(table)
        .map(|name| format!("t.{}", quoted(name)))
        .collect();
    let only = if table.guarded {
        format!(" WHERE t.{} = 0", quoted(DELETED_COLUMN))
    } else {
        String::new()
    };
    Some(format!(
        "CREATE VIEW {} AS SELECT {}, f.{} AS {WORDS_COLUMN}, f.rank AS {RANK_COLUMN} \
         FROM {} f JOIN {} t ON t.{} = f.rowid{only}",
        quoted(&table.text_name()?),
        columns.join(", "),
        quoted(&index),
        quoted(&index),
        quoted(&physical_table(generation, &table.name)),
        quoted(ROW_COLUMN),
    ))
}

/// Words as FTS5 takes them: each must occur, and none is an operator.
pub(super) fn all_of(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    quoted.join(" ")
}

/// The columns of the text index, quoted.
fn searched(table: &Table) -> Option<Vec<String>> {
    let parts = table.text_index()?.columns.iter();
    let names = parts.map(|part| quoted(&table.columns[part.column].name));
    Some(names.collect())
}

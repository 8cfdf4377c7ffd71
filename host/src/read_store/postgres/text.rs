//! Text indexes in PostgreSQL: a GIN index on an expression, which the readers'
//! view shows as the column `words`, so that the planner finds one by the other.
//!
//! No column is stored: rows are written and copied as in any other table, and
//! the words are made where the index is.

use super::space::{Space, literal};
use crate::model::{GenerationId, Table, WORDS_COLUMN};
use crate::read_store::schema::{DELETED_COLUMN, column_names, quoted, quoted_list};

/// Words are kept as they are but for their case. Stems and stop words would be
/// those of one language, and the other store has neither.
const CONFIGURATION: &str = "'pg_catalog.simple'::pg_catalog.regconfig";

/// What never belongs to a word. The parser by itself takes `desk-lamp`, `3.5`,
/// mail addresses and paths for words of special kinds, which the other store
/// does not; and in a database of the locale C it takes all else that is not
/// ASCII for letters.
const SEPARATORS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\
     \u{a0}¡¢£¤¥¦§¨©«¬®¯°±´¶·¸»¿×÷‐‑‒–—―‘’‚“”„†‡•…‰′″‹›€™";

/// The words of a row, as an expression over its columns.
pub(super) fn words(table: &Table) -> Option<String> {
    let index = table.text_index()?;
    let texts: Vec<String> = index
        .columns
        .iter()
        .map(|part| {
            let column = &table.columns[part.column];
            match column.nullable {
                true => format!("coalesce({}, '')", quoted(&column.name)),
                false => quoted(&column.name),
            }
        })
        .collect();
    let spaces = " ".repeat(SEPARATORS.chars().count());
    Some(format!(
        "pg_catalog.to_tsvector({CONFIGURATION}, pg_catalog.translate({}, {}, '{spaces}'))",
        texts.join(" || ' ' || "),
        literal(SEPARATORS),
    ))
}

/// The question for words that stand in a parameter, all of which must occur.
pub(super) fn all_of(parameter: &str) -> String {
    format!("pg_catalog.plainto_tsquery({CONFIGURATION}, {parameter})")
}

/// What an index is made on, and of which rows: tombstones have nothing to find.
pub(super) fn index_on(table: &Table) -> Option<String> {
    let only = if table.guarded {
        format!(" WHERE NOT {}", quoted(DELETED_COLUMN))
    } else {
        String::new()
    };
    Some(format!("USING gin ({}){only}", words(table)?))
}

/// What the readers' view for searching shows of a generation's table. See
/// `ddl::view_query` about the empty row.
pub(super) fn view_query(space: &Space, generation: GenerationId, table: &Table) -> Option<String> {
    let only = if table.guarded {
        format!(" WHERE NOT {}", quoted(DELETED_COLUMN))
    } else {
        String::new()
    };
    Some(format!(
        "SELECT {}, {} AS {WORDS_COLUMN} FROM {}, (SELECT) AS read_only{only}",
        quoted_list(column_names(table)),
        words(table)?,
        space.physical(generation, &table.name),
    ))
}

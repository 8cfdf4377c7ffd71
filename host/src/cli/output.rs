//! Results on stdout: lines, tables, JSON.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::error::CliError;

/// Writes a result to stdout, and a line break after it if it has none.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    write!(stdout, "{text}{end}")
        .and_then(|()| stdout.flush())
        .map_err(CliError::output)
}

/// Writes a result to stdout as JSON, for people too.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print(&serde_json::to_string_pretty(value).map_err(not_json)?)
}

/// Writes a result to stdout as one line of JSON.
pub(super) fn print_json_line(value: &impl Serialize) -> Result<(), CliError> {
    print(&serde_json::to_string(value).map_err(not_json)?)
}

fn not_json(error: serde_json::Error) -> CliError {
    CliError::environment("cannot write the result as JSON", error)
}

/// A column of a table: its header and how its cells stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column<'a> {
    /// Words.
    Left(&'a str),
    /// Numbers.
    Right(&'a str),
}

/// A table without lines, two blanks between its columns.
pub(super) fn table(columns: &[Column<'_>], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| match column {
        Column::Left(name) | Column::Right(name) => printable(name),
    }));
    table.add_rows(
        rows.iter()
            .map(|row| row.iter().map(|cell| printable(cell))),
    );
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_padding((0, 2));
        if matches!(column, Column::Right(_)) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// A text with its control characters written out: what came from an event or a
/// component must not be able to steer the terminal.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_even_columns_and_no_control_characters() {
        let rows = vec![
            vec!["orders".into(), "7".into()],
            vec!["a\u{1b}[2J\nb".into(), "12,000".into()],
        ];
        let text = table(&[Column::Left("NAME"), Column::Right("LAG")], rows);
        assert_eq!(
            text,
            "NAME              LAG\norders              7\na\\u{1b}[2J\\nb  12,000\n"
        );
    }
}

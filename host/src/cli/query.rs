//! `lantern query`.

use clap::{Args, ValueEnum};

use super::context::{Context, Talk};
use super::error::CliError;
use super::output::print;
use super::query_output::{as_csv, as_json, as_table};
use crate::operations::{self, Condition, Query};

/// Rows shown in a table unless asked otherwise: some screens full.
const TABLE_ROWS: u64 = 100;

/// Show the rows of a read model
///
/// Times are shown as RFC 3339, bytes in hexadecimal. In JSON, decimals are
/// texts (they stay exact) and json columns are part of the document.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern query page_visits
  lantern query orders --where status=open --where 'shipped_at is null'
  lantern query orders --order -total --limit 10
  lantern query order_search --search 'desk lamp'
  lantern query orders --format json | jq '.[].total'")]
pub(super) struct Ask {
    /// The read model: a table that some projector owns
    table: String,

    /// Only rows whose column equals a value: `column=value`, or `'column is
    /// null'`. May be given several times: all must hold
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    conditions: Vec<Condition>,

    /// Only rows in which all these words occur, in whatever case and order, by
    /// the table's text index. What fits best comes first, unless --order is given
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// Order by a column, descending with a `-` before it. May be given several
    /// times [default: the key]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    order: Vec<String>,

    /// The most rows wanted [default: 100 in a table, else all]
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// The form of the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Ask {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let limit = self
            .limit
            .or((self.format == Format::Table).then_some(TABLE_ROWS));
        let mut answer = operations::query(&lantern, &self.query(limit)).await?;
        let has_more = limit.is_some_and(|limit| truncate(&mut answer.rows, limit));
        match self.format {
            Format::Table => print(&as_table(&answer))?,
            Format::Json => print(&as_json(&answer)?)?,
            Format::Csv => print(&as_csv(&answer)?)?,
        }
        if has_more && self.limit.is_none() && context.talk != Talk::Quiet {
            eprintln!("there are more rows; --limit N shows more of them");
        }
        Ok(())
    }

    /// Asks for one row above the limit, to know whether there are more.
    fn query(&self, limit: Option<u64>) -> Query {
        Query {
            table: self.table.clone(),
            conditions: self.conditions.clone(),
            search: self.search.clone(),
            order: self.order.iter().map(|column| order(column)).collect(),
            limit: limit.map(|limit| limit.saturating_add(1)),
        }
    }
}

fn truncate<T>(rows: &mut Vec<T>, limit: u64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    has_more
}

fn order(column: &str) -> (String, bool) {
    match column.strip_prefix('-') {
        Some(name) => (name.to_owned(), true),
        None => (column.to_owned(), false),
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    if let Some((column, value)) = text.split_once('=') {
        return Ok(Condition {
            column: column.trim().into(),
            equals: Some(value.into()),
        });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [column, is, null]
            if is.eq_ignore_ascii_case("is") && null.eq_ignore_ascii_case("null") =>
        {
            Ok(Condition {
                column: column.into(),
                equals: None,
            })
        }
        _ => Err("a condition is `column=value` or `column is null`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_order_are_read() {
        let read = |text| condition(text).map(|c| (c.column, c.equals));
        assert_eq!(read("a=b=c"), Ok(("a".into(), Some("b=c".into()))));
        assert_eq!(read("a="), Ok(("a".into(), Some(String::new()))));
        assert_eq!(read("a IS NULL"), Ok(("a".into(), None)));
        assert!(read("a > 3").is_err());
        assert_eq!(order("-total"), ("total".into(), true));
    }

    #[test]
    fn one_row_above_the_limit_tells_that_there_are_more() {
        let mut rows = vec![1, 2, 3];
        assert!(truncate(&mut rows, 2));
        assert!(!truncate(&mut rows, 2));
        assert_eq!(rows, [1, 2]);
    }
}

//! `lantern inspect`.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::numbers::bytes;
use super::output::{Column, print, print_json, printable, table};
use crate::model::{Description, IndexKind, Lookup, Pattern, Table};
use crate::operations::{self, Inspection};

/// Look into a component as a host would, without putting it to use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern inspect projectors/orders.wasm
  lantern inspect orders.wasm --json | jq .description.tables")]
pub(super) struct Inspect {
    /// The component
    file: PathBuf,

    /// JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let inspection = operations::inspect(context.settings(), &self.file).await?;
        if self.json {
            print_json(&inspection)
        } else {
            print(&inspection_text(&inspection))
        }
    }
}

fn inspection_text(inspection: &Inspection) -> String {
    let about = &inspection.description;
    let facts = [
        ("projector", format!("{} {}", about.name, about.version)),
        ("verdict", inspection.verdict.clone()),
        (
            "file",
            format!("{}, {}", inspection.file, bytes(inspection.bytes as u64)),
        ),
        ("digest", inspection.digest.0.clone()),
        ("wants", wants_text(about)),
        ("order", order_text(about)),
        ("imports", inspection.imports.join(", ")),
        ("exports", inspection.exports.join(", ")),
        (
            "compiled",
            format!("in {:.3} s", inspection.compile_seconds),
        ),
        (
            "described",
            format!("in {:.3} s", inspection.describe_seconds),
        ),
    ];
    let mut text: String = facts
        .iter()
        .map(|(name, fact)| format!("{name:<10} {}\n", printable(fact)))
        .collect();
    for table in &about.tables {
        text += &table_text(table);
    }
    for lookup in &about.lookups {
        text += &lookup_text(about, lookup);
    }
    text
}

fn order_text(about: &Description) -> String {
    match &about.order {
        Some(order) => format!(
            "strict, by entity {} and version {}",
            order.entity, order.version
        ),
        None => "that of the log".into(),
    }
}

fn lookup_text(about: &Description, lookup: &Lookup) -> String {
    let key: Vec<String> = lookup.key.iter().map(ToString::to_string).collect();
    let types = match lookup.types.is_empty() {
        true => "all events".into(),
        false => listed(&lookup.types),
    };
    let table = about.tables.get(lookup.table).map_or("?", |t| &t.name);
    let text = format!("\nlooks up {table} by {} for {types}", key.join(", "));
    text.lines().map(printable).collect::<Vec<_>>().join("\n") + "\n"
}

fn wants_text(about: &Description) -> String {
    let lists = [
        ("types", &about.wants.types),
        ("streams", &about.wants.streams),
        ("tenants", &about.wants.tenants),
    ];
    let given = lists
        .into_iter()
        .filter(|(_, patterns)| !patterns.is_empty());
    let texts: Vec<String> = given
        .map(|(what, patterns)| format!("{what} {}", listed(patterns)))
        .collect();
    if texts.is_empty() {
        "all events".into()
    } else {
        texts.join("; ")
    }
}

fn listed(patterns: &[Pattern]) -> String {
    let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.0.as_str()).collect();
    texts.join(", ")
}

fn table_text(described: &Table) -> String {
    let kinds = [
        (described.tenant_keyed, ", keyed by tenant"),
        (described.stream_keyed, ", keyed by stream"),
        (described.guarded, ", guarded by version"),
    ];
    let kinds: String = kinds
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, text)| *text)
        .collect();
    let rows = described.columns.iter().enumerate().map(|(i, column)| {
        let null = if column.nullable { "null allowed" } else { "" };
        let key = if described.is_key(i) { "key" } else { "" };
        vec![
            column.name.clone(),
            column.column_type.to_string(),
            key.into(),
            null.into(),
        ]
    });
    let columns = [
        Column::Left("COLUMN"),
        Column::Left("TYPE"),
        Column::Left("KEY"),
        Column::Left("NULL"),
    ];
    let mut text = format!(
        "\ntable {}{kinds}\n{}",
        described.name,
        table(&columns, rows.collect())
    );
    for index in &described.indexes {
        text += &format!(
            "{} {}\n",
            match index.kind {
                IndexKind::Ordered => "index",
                IndexKind::Unique => "unique index",
                IndexKind::Text => "text index",
            },
            index_text(described, index)
        );
    }
    text
}

fn index_text(described: &Table, index: &crate::model::Index) -> String {
    let parts: Vec<String> = index
        .columns
        .iter()
        .map(|part| {
            let name = described
                .columns
                .get(part.column)
                .map_or("?", |column| column.name.as_str());
            let path = part
                .path
                .as_deref()
                .map(|path| format!(" {path}"))
                .unwrap_or_default();
            let down = if part.descending { " descending" } else { "" };
            printable(&format!("{name}{path}{down}"))
        })
        .collect();
    format!("on {}", parts.join(", "))
}

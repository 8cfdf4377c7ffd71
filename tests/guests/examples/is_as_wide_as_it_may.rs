//! Declares as many columns as it may, with names that mean something elsewhere, and as many
//! patterns. Harmless.
use misbehaving::{Column, ColumnType, misbehave};

misbehave!(describes: |mut usual| {
    let odd = ["rowid", "oid", "value", "key", "excluded", "old", "new", "tenant", "count", "date", "main", "temp"];
    let column = |name: String| Column { name, type_: ColumnType::Text, nullable: true };
    let table = &mut usual.tables[0];
    table.columns.extend(odd.map(|name| column(name.into())));
    let missing = 256 - table.columns.len();
    table.columns.extend((0..missing).map(|n| column(format!("c{n}"))));
    let several = |name: &str| (0..999).map(|n| format!("{name}{n}*")).chain(["*".into()]).collect();
    usual.wants.types = several("probe.");
    usual.wants.streams = several("s");
    usual.wants.tenants = several("t");
    usual
});

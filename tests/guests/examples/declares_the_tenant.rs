//! Declares a column `tenant` of its own beside the host's. Refused.
use misbehaving::{Column, ColumnType, misbehave};

misbehave!(describes: |mut usual| {
    usual.tables[0].tenant_keyed = true;
    let column = Column {
        name: "tenant".into(),
        type_: ColumnType::Text,
        nullable: true,
    };
    usual.tables[0].columns.push(column);
    usual
});

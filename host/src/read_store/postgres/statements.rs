//! The statements that write and read the rows of one table.

use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use super::binary::{Array, Values, sql_type};
use super::space::Space;
use crate::model::{ColumnType, GenerationId, Row, Table, Value};
use crate::read_store::schema::{
    DELETED_COLUMN, VERSION_COLUMN, column_names, key_names, quoted, quoted_list,
};

/// One table of a generation and what its statements are made of.
#[derive(Debug)]
pub(super) struct TableStatements {
    pub(super) table: Table,
    /// The types of the declared columns.
    pub(super) types: Vec<ColumnType>,
    /// The physical table, quoted.
    physical: String,
    /// The types of all columns, those of the host last.
    all_types: Vec<ColumnType>,
    /// All columns, quoted, with commas between.
    names: String,
    /// Reads rows by their keys; each comes behind the place of its key.
    pub(super) get: std::sync::Arc<str>,
}

impl TableStatements {
    pub(super) fn new(space: &Space, generation: GenerationId, table: &Table) -> Self {
        let types: Vec<_> = table
            .columns
            .iter()
            .map(|column| column.column_type)
            .collect();
        let mut all_types = types.clone();
        let mut names: Vec<&str> = column_names(table).collect();
        if table.guarded {
            all_types.extend([ColumnType::Integer, ColumnType::Boolean]);
            names.extend([VERSION_COLUMN, DELETED_COLUMN]);
        }
        let names = quoted_list(names);
        let physical = space.physical(generation, &table.name);
        Self {
            get: get(table, &physical, &names).into(),
            table: table.clone(),
            types,
            physical,
            all_types,
            names,
        }
    }

    /// Writes rows whole. Its parameters are counted from `first`; see
    /// [`Self::bind_rows`].
    ///
    /// Where a row may be there already, `upsert` is set, which needs the key.
    pub(super) fn put(&self, first: usize, fenced: Fenced, upsert: bool) -> String {
        let arrays = arrays(first, &self.all_types);
        let mut sql = format!(
            "INSERT INTO {0} ({1}) SELECT k.* FROM {2}unnest({arrays}) AS k ({1})",
            self.physical,
            self.names,
            fenced.from(),
        );
        if upsert {
            let key: Vec<&str> = key_names(&self.table).collect();
            let is_value = |name: &&str| !key.contains(name);
            let hidden = [VERSION_COLUMN, DELETED_COLUMN];
            let hidden = hidden.into_iter().filter(|_| self.table.guarded);
            let set: Vec<String> = column_names(&self.table)
                .filter(is_value)
                .chain(hidden)
                .map(|name| format!("{0} = excluded.{0}", quoted(name)))
                .collect();
            sql += &format!(" ON CONFLICT ({}) DO ", quoted_list(key.iter().copied()));
            sql += &match set.is_empty() {
                true => "NOTHING".to_owned(),
                false => format!("UPDATE SET {}", set.join(", ")),
            };
        }
        sql
    }

    /// How many parameters [`Self::put`] has.
    pub(super) fn put_parameters(&self) -> usize {
        self.all_types.len()
    }

    /// Removes rows by their keys. Each is looked up by itself: with a plain join
    /// the server may decide, while it knows little of a young table, to read all
    /// of it, and keep that plan.
    pub(super) fn remove(&self, first: usize, fenced: Fenced) -> String {
        format!(
            "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT r.place FROM {1}{2}, \
             LATERAL (SELECT t.ctid AS place FROM {0} t WHERE {3} LIMIT 1) r))",
            self.physical,
            fenced.from(),
            keys(&self.table, first, ""),
            is_key(&self.table),
        )
    }

    /// How many parameters [`Self::remove`] has.
    pub(super) fn remove_parameters(&self) -> usize {
        self.table.key.len()
    }

    /// Takes rows in the server's binary form.
    pub(super) fn copy(&self) -> String {
        format!(
            "COPY {} ({}) FROM STDIN WITH (FORMAT binary)",
            self.physical, self.names
        )
    }

    /// Binds all columns of rows.
    pub(super) fn bind_rows(
        &self,
        arguments: &mut PgArguments,
        rows: &[&Row],
    ) -> Result<(), BoxDynError> {
        for (at, &column_type) in self.types.iter().enumerate() {
            let values = Values::Column(rows, at);
            arguments.add(Array {
                column_type,
                values,
            })?;
        }
        if self.table.guarded {
            arguments.add(Array {
                column_type: ColumnType::Integer,
                values: Values::Versions(rows),
            })?;
            arguments.add(Array {
                column_type: ColumnType::Boolean,
                values: Values::Deleted(rows),
            })?;
        }
        Ok(())
    }

    /// Binds keys whose values come in key order.
    pub(super) fn bind_keys(
        &self,
        arguments: &mut PgArguments,
        keys: &[Vec<Value>],
    ) -> Result<(), BoxDynError> {
        for (part, &column) in self.table.key.iter().enumerate() {
            arguments.add(Array {
                column_type: self.types[column],
                values: Values::KeyPart(keys, part),
            })?;
        }
        Ok(())
    }

    /// Binds the keys of rows.
    pub(super) fn bind_keys_of(
        &self,
        arguments: &mut PgArguments,
        rows: &[&Row],
    ) -> Result<(), BoxDynError> {
        for &column in &self.table.key {
            arguments.add(Array {
                column_type: self.types[column],
                values: Values::Column(rows, column),
            })?;
        }
        Ok(())
    }
}

/// Whether a statement is part of one in which the fence comes first, under the
/// name `fence`, and brings no row when the commit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fenced {
    Within,
    Before,
}

impl Fenced {
    fn from(self) -> &'static str {
        match self {
            Fenced::Within => "fence, ",
            Fenced::Before => "",
        }
    }
}

fn get(table: &Table, physical: &str, names: &str) -> String {
    format!(
        "SELECT k.place, r.* FROM {}, LATERAL (SELECT {names} FROM {physical} t WHERE {} LIMIT 1) r",
        keys(table, 1, " WITH ORDINALITY"),
        is_key(table),
    )
}

/// Keys as a table `k` with the columns `k0`, `k1` and so on, and the place of
/// each behind them if it is asked for.
fn keys(table: &Table, first: usize, ordinality: &str) -> String {
    let types: Vec<_> = table
        .key
        .iter()
        .map(|&column| table.columns[column].column_type)
        .collect();
    let mut columns: Vec<String> = (0..types.len()).map(|part| format!("k{part}")).collect();
    if !ordinality.is_empty() {
        columns.push("place".into());
    }
    format!(
        "unnest({}){ordinality} AS k ({})",
        arrays(first, &types),
        columns.join(", ")
    )
}

fn is_key(table: &Table) -> String {
    let parts = key_names(table).enumerate();
    let parts: Vec<String> = parts
        .map(|(part, name)| format!("t.{} = k.k{part}", quoted(name)))
        .collect();
    parts.join(" AND ")
}

fn arrays(first: usize, types: &[ColumnType]) -> String {
    let arrays = types.iter().enumerate();
    let arrays: Vec<String> = arrays
        .map(|(i, column_type)| format!("${}::{}[]", first + i, sql_type(*column_type)))
        .collect();
    arrays.join(", ")
}

//! The algebra of commands on a row.
//!
//! An upsert replaces, a patch overwrites, an increment adds, a delete clears;
//! each command meets the row as the commands before it left it.

use std::sync::Arc;

use hashbrown::HashSet;

use super::cache::{SlotId, TableCache};
use super::{RowKey, Whose, key};
use crate::model::{
    CellReader, Column, ColumnType, Command, Commands, MalformedCells, MalformedCommands,
    Operation, Row, Table, Value, ValueError,
};

/// A command that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("command {index} (counted from 0) is wrong")]
pub struct CommandError {
    /// Which command of the block it is.
    pub index: usize,
    /// The event it answers, as an index into the batch, when known.
    pub event: Option<u32>,
    /// What is wrong with it.
    #[source]
    pub problem: CommandProblem,
}

/// What is wrong with a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandProblem {
    /// The block's lists do not agree.
    #[error(transparent)]
    Malformed(#[from] MalformedCommands),
    /// The table was not declared.
    #[error("it names table {0}, which the description does not declare")]
    NoTable(usize),
    /// The column was not declared.
    #[error("it names column {column} of table `{table}`, which the description does not declare")]
    NoColumn {
        /// The table.
        table: String,
        /// The column's index.
        column: u16,
    },
    /// A value does not fit.
    #[error("column `{column}` of table `{table}`")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why.
        #[source]
        reason: ValueError,
    },
    /// A column that must have a value would be null.
    #[error("column `{column}` of table `{table}` would be null, which it must not be ({hint})")]
    Null {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What to do.
        hint: &'static str,
    },
    /// A key column is among the changed ones.
    #[error("it changes column `{column}` of table `{table}`, which is part of the key")]
    KeyColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A delete carries values.
    #[error("it is a delete and carries values")]
    DeleteWithValues,
    /// A guarded command on a table that is not.
    #[error("it carries a version, but table `{0}` is not declared as guarded")]
    NotGuarded(String),
    /// An unguarded command on a guarded table.
    #[error("it carries no version, but table `{0}` is declared as guarded")]
    MissingGuard(String),
}

impl From<MalformedCells> for CommandProblem {
    fn from(error: MalformedCells) -> Self {
        MalformedCommands::from(error).into()
    }
}

/// Folds a block of commands in. Returns how many were ignored because their
/// version was not newer than the row's.
pub(super) fn apply(
    tables: &mut [TableCache],
    group: u64,
    commands: &Commands,
    whose: Whose<'_>,
) -> Result<u64, CommandError> {
    let mut ignored = 0;
    let mut encoded = Vec::new();
    each(commands, |command, cells| {
        let cache = table_of(tables, &command)?;
        let fold = Fold { command, group };
        if fold.apply(cache, cells, whose, &mut encoded)? == Outcome::Ignored {
            ignored += 1;
        }
        Ok(())
    })?;
    Ok(ignored)
}

/// The rows, each once, on whose present state a block of commands depends and
/// about which nothing is known.
pub(super) fn unknown_rows(
    tables: &[TableCache],
    commands: &Commands,
    whose: Whose<'_>,
) -> Result<Vec<RowKey>, CommandError> {
    let mut unknown = Vec::new();
    let mut asked: HashSet<(usize, Vec<u8>)> = HashSet::new();
    let mut encoded = Vec::new();
    each(commands, |command, cells| {
        let cache = tables
            .get(command.table)
            .ok_or(CommandProblem::NoTable(command.table))?;
        let at_key = cells.clone();
        encode_key(cache.table(), whose, cells, &mut encoded)?;
        for _ in command.columns {
            cells.next_cell()?;
        }
        let depends = cache.table().guarded
            || matches!(command.operation, Operation::Patch | Operation::Increment);
        if depends && !cache.knows(&encoded) && asked.insert((command.table, encoded.clone())) {
            unknown.push(RowKey {
                table: command.table,
                values: read_key(cache.table(), whose, &mut at_key.clone())?,
            });
        }
        Ok(())
    })?;
    Ok(unknown)
}

/// Reads a key into bytes. Tenant and stream, which only the host knows, come first.
#[inline]
pub(super) fn encode_key(
    table: &Table,
    whose: Whose<'_>,
    cells: &mut CellReader<'_>,
    encoded: &mut Vec<u8>,
) -> Result<(), CommandProblem> {
    encoded.clear();
    for (_, name) in whose.host_values(table) {
        key::encode_text(name, encoded);
    }
    for &column in &table.key[table.host_columns()..] {
        let cell = cells.next_cell()?;
        match key::as_sent(table.columns[column].column_type, cell) {
            Some(text) => key::encode_text(text, encoded),
            None => {
                let value = check_column(table, column, cell)?;
                key::encode_value(&value, encoded);
            }
        }
    }
    Ok(())
}

/// Reads a key into values, tenant and stream included.
pub(super) fn read_key(
    table: &Table,
    whose: Whose<'_>,
    cells: &mut CellReader<'_>,
) -> Result<Vec<Value>, CommandProblem> {
    let mut values = Vec::with_capacity(table.key.len());
    for (_, name) in whose.host_values(table) {
        values.push(Value::Text(name.into()));
    }
    for &column in &table.key[table.host_columns()..] {
        values.push(check_column(table, column, cells.next_cell()?)?);
    }
    Ok(values)
}

/// Runs through a block, and says of an error which command it is.
#[inline]
fn each<'a>(
    commands: &'a Commands,
    mut visit: impl FnMut(Command<'a>, &mut CellReader<'a>) -> Result<(), CommandProblem>,
) -> Result<(), CommandError> {
    let malformed = |index, problem: MalformedCommands| CommandError {
        index,
        event: None,
        problem: problem.into(),
    };
    let mut reader = commands.reader().map_err(|e| malformed(0, e))?;
    loop {
        match reader.next_command() {
            Ok(Some(command)) => {
                visit(command, &mut reader.cells).map_err(|problem| CommandError {
                    index: reader.index(),
                    event: Some(command.event),
                    problem,
                })?;
            }
            Ok(None) => return Ok(()),
            Err(problem) => return Err(malformed(reader.index(), problem)),
        }
    }
}

fn table_of<'t>(
    tables: &'t mut [TableCache],
    command: &Command<'_>,
) -> Result<&'t mut TableCache, CommandProblem> {
    let cache = tables
        .get_mut(command.table)
        .ok_or(CommandProblem::NoTable(command.table))?;
    let table = cache.table();
    match (table.guarded, command.guard) {
        (true, 0) => Err(CommandProblem::MissingGuard(table.name.clone())),
        (false, 1..) => Err(CommandProblem::NotGuarded(table.name.clone())),
        _ => Ok(cache),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Applied,
    Ignored,
}

/// One command on its way into a row.
struct Fold<'a> {
    command: Command<'a>,
    group: u64,
}

impl Fold<'_> {
    fn apply(
        &self,
        cache: &mut TableCache,
        cells: &mut CellReader<'_>,
        whose: Whose<'_>,
        encoded: &mut Vec<u8>,
    ) -> Result<Outcome, CommandProblem> {
        let mut at_key = cells.clone();
        encode_key(cache.table(), whose, cells, encoded)?;
        let slot = cache.slot(encoded, self.group, self.command.event);
        if self.is_stale(cache, slot) {
            for _ in self.command.columns {
                cells.next_cell()?;
            }
            return Ok(Outcome::Ignored);
        }
        match self.command.operation {
            Operation::Upsert => {
                let row = self.new_row(cache.table(), whose, &mut at_key)?;
                let row = self.with_values(cache.table(), row, cells)?;
                *cache.row_mut(slot, self.group, self.command.event) = Some(Arc::new(row));
            }
            Operation::Patch | Operation::Increment => {
                self.change(cache, slot, cells, |table| {
                    self.new_row(table, whose, &mut at_key)
                })?;
            }
            Operation::Delete if !self.command.columns.is_empty() => {
                return Err(CommandProblem::DeleteWithValues);
            }
            Operation::Delete if cache.table().guarded => {
                let row = self.new_row(cache.table(), whose, &mut at_key)?;
                *cache.row_mut(slot, self.group, self.command.event) =
                    Some(Arc::new(tombstone(cache.table(), row)));
            }
            Operation::Delete => *cache.row_mut(slot, self.group, self.command.event) = None,
        }
        Ok(Outcome::Applied)
    }

    /// Whether the row already holds this command's version or a later one. An
    /// event may make several commands on one row, all with its version: only
    /// the first is judged.
    fn is_stale(&self, cache: &TableCache, slot: SlotId) -> bool {
        let Some(row) = cache.row(slot).filter(|_| cache.table().guarded) else {
            return false;
        };
        let goes_on =
            self.command.guard == row.version && cache.changed_by(slot, self.command.event);
        self.command.guard <= row.version && !goes_on
    }

    /// A row that has its key and nothing else.
    fn new_row(
        &self,
        table: &Table,
        whose: Whose<'_>,
        at_key: &mut CellReader<'_>,
    ) -> Result<Row, CommandProblem> {
        let mut values = vec![Value::Null; table.columns.len()];
        for (column, name) in whose.host_values(table) {
            values[column] = Value::Text(name.into());
        }
        for &column in &table.key[table.host_columns()..] {
            values[column] = check_column(table, column, at_key.next_cell()?)?;
        }
        Ok(Row {
            values,
            version: self.command.guard,
            deleted: false,
        })
    }

    fn with_values(
        &self,
        table: &Table,
        mut row: Row,
        cells: &mut CellReader<'_>,
    ) -> Result<Row, CommandProblem> {
        for &named in self.command.columns {
            let column = self.column(table, named)?;
            row.values[column] = check_column(table, column, cells.next_cell()?)?;
        }
        check_nulls(table, &row, "an upsert must give it a value")?;
        Ok(row)
    }

    /// Patches or increments the row there is, or a new one.
    fn change(
        &self,
        cache: &mut TableCache,
        slot: SlotId,
        cells: &mut CellReader<'_>,
        new_row: impl FnOnce(&Table) -> Result<Row, CommandProblem>,
    ) -> Result<(), CommandProblem> {
        let fresh = match cache.row(slot) {
            Some(row) if !row.deleted => None,
            _ => Some(Arc::new(new_row(cache.table())?)),
        };
        let is_new = fresh.is_some();
        let held = cache.row_mut(slot, self.group, self.command.event);
        if fresh.is_some() {
            *held = fresh;
        }
        // Taken out while it is changed, so that the table can be read as well.
        let Some(mut shared) = held.take() else {
            return Ok(());
        };
        let row = Arc::make_mut(&mut shared);
        let changed = self.change_row(cache.table(), row, cells, is_new);
        *cache.row_mut(slot, self.group, self.command.event) = Some(shared);
        changed
    }

    fn change_row(
        &self,
        table: &Table,
        row: &mut Row,
        cells: &mut CellReader<'_>,
        is_new: bool,
    ) -> Result<(), CommandProblem> {
        for &named in self.command.columns {
            let column = self.column(table, named)?;
            let value = check_column(table, column, cells.next_cell()?)?;
            row.values[column] = if self.command.operation == Operation::Increment {
                let column_type = table.columns[column].column_type;
                column_type
                    .add(&row.values[column], &value)
                    .map_err(|reason| value_error(table, column, reason))?
            } else {
                value
            };
        }
        row.version = self.command.guard;
        if is_new {
            check_nulls(
                table,
                row,
                "there is no such row yet: upsert it first, or let the column be nullable",
            )?;
        }
        Ok(())
    }

    #[inline]
    fn column(&self, table: &Table, named: u16) -> Result<usize, CommandProblem> {
        let column = usize::from(named) + table.host_columns();
        if column >= table.columns.len() {
            return Err(CommandProblem::NoColumn {
                table: table.name.clone(),
                column: named,
            });
        }
        if table.is_key(column) {
            return Err(CommandProblem::KeyColumn {
                table: table.name.clone(),
                column: table.columns[column].name.clone(),
            });
        }
        Ok(column)
    }
}

/// Checks one value against its column, null included.
#[inline]
fn check_column(
    table: &Table,
    column: usize,
    cell: crate::model::Cell<'_>,
) -> Result<Value, CommandProblem> {
    let declared = &table.columns[column];
    let value = declared
        .column_type
        .check(cell)
        .map_err(|reason| value_error(table, column, reason))?;
    if value == Value::Null && !declared.nullable {
        return Err(null_error(
            table,
            declared,
            "declare it as nullable if it may be missing",
        ));
    }
    Ok(value)
}

fn check_nulls(table: &Table, row: &Row, hint: &'static str) -> Result<(), CommandProblem> {
    for (value, column) in row.values.iter().zip(&table.columns) {
        if !column.nullable && matches!(value, Value::Null) {
            return Err(null_error(table, column, hint));
        }
    }
    Ok(())
}

fn null_error(table: &Table, column: &Column, hint: &'static str) -> CommandProblem {
    CommandProblem::Null {
        table: table.name.clone(),
        column: column.name.clone(),
        hint,
    }
}

fn value_error(table: &Table, column: usize, reason: ValueError) -> CommandProblem {
    CommandProblem::Value {
        table: table.name.clone(),
        column: table.columns[column].name.clone(),
        reason,
    }
}

/// The memory of a deleted row: its key, and something in every column that
/// must not be null.
fn tombstone(table: &Table, mut row: Row) -> Row {
    for (value, column) in row.values.iter_mut().zip(&table.columns) {
        if !column.nullable && matches!(value, Value::Null) {
            *value = blank(column.column_type);
        }
    }
    row.deleted = true;
    row
}

fn blank(column_type: ColumnType) -> Value {
    match column_type {
        ColumnType::Boolean => Value::Bool(false),
        ColumnType::Integer | ColumnType::Timestamp => Value::Integer(0),
        ColumnType::Float => Value::Float(0.0),
        ColumnType::Bytes => Value::Bytes([].into()),
        ColumnType::Decimal => Value::Text("0".into()),
        ColumnType::Text => Value::Text("".into()),
        ColumnType::Uuid => Value::Text("00000000-0000-0000-0000-000000000000".into()),
        ColumnType::Json => Value::Text("null".into()),
    }
}

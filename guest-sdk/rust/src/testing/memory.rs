//! Rows in memory, under the rules by which the host changes them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::lantern::projector::rows::Found;
use crate::bindings::lantern::projector::types::{
    Cells, ColumnType, Commands, Description, Failure, Table,
};
use crate::cells::{self, Cell, CellReader, CellWriter};
use crate::decimal::Decimal;
use crate::rows::{Reader, op};

/// All rows of a projector's tables.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Memory {
    pub(super) tables: Vec<MemoryTable>,
}

#[derive(Debug, Clone)]
pub(super) struct MemoryTable {
    pub(super) declaration: Table,
    /// The key's columns, as indices.
    key: Vec<usize>,
    rows: BTreeMap<RowKey, Row>,
    /// Which event of the present batch wrote a row last: its further commands
    /// on that row are not judged by their version.
    written_by: BTreeMap<RowKey, u32>,
}

/// Two tables are equal when their rows are, however they were come by.
impl PartialEq for MemoryTable {
    fn eq(&self, other: &Self) -> bool {
        self.declaration == other.declaration && self.rows == other.rows
    }
}

/// Whose events are being projected: their tenant and stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    pub(super) tenant: String,
    pub(super) stream: String,
}

/// Tenant and stream (empty where the table is not keyed by them) and the values
/// of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RowKey {
    whose: Whose,
    values: Vec<Stored>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    values: Vec<Stored>,
    /// The version of the command that wrote it last, in a guarded table.
    version: u64,
    /// Only the memory of its version is left.
    deleted: bool,
}

#[derive(Debug, Clone)]
enum Stored {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Memory {
    pub(super) fn new(description: &Description) -> Self {
        Self {
            tables: description
                .tables
                .iter()
                .cloned()
                .map(MemoryTable::new)
                .collect(),
        }
    }

    /// Begins a batch: events are counted anew.
    pub(super) fn begin_batch(&mut self) {
        self.tables
            .iter_mut()
            .for_each(|table| table.written_by.clear());
    }

    /// Carries out commands for one tenant and stream.
    ///
    /// # Errors
    ///
    /// Fails on the first command that the host would refuse.
    pub(super) fn apply(&mut self, commands: &Commands, whose: &Whose) -> Result<(), Failure> {
        let mut cells = CellReader::new(&commands.cells);
        let mut columns = commands.columns.iter();
        for (index, &op) in commands.ops.iter().enumerate() {
            let event = commands.events[index];
            let at = usize::from(commands.tables[index]);
            let table = &mut self.tables[at];
            let named: Vec<_> = columns
                .by_ref()
                .take(commands.widths[index].into())
                .map(|c| usize::from(*c))
                .collect();
            let command = Command {
                op,
                named,
                guard: commands.guards.get(index).copied(),
            };
            let key = table.read_key(&mut cells, whose);
            table
                .apply(&command, key, event, &mut cells)
                .map_err(|message| Failure { event, message })?;
        }
        Ok(())
    }

    fn find(&self, table: u16, count: u32, keys: &Cells, whose: &Whose) -> Found {
        let table = &self.tables[usize::from(table)];
        let mut keys = CellReader::new(keys);
        let mut found = Found {
            present: Vec::new(),
            cells: cells::empty(),
        };
        for _ in 0..count {
            let row = table
                .rows
                .get(&table.read_key(&mut keys, whose))
                .filter(|row| !row.deleted);
            found.present.push(u8::from(row.is_some()));
            row.into_iter().for_each(|row| row.write(&mut found.cells));
        }
        found
    }
}

struct Command {
    op: u8,
    named: Vec<usize>,
    guard: Option<u64>,
}

impl MemoryTable {
    fn new(declaration: Table) -> Self {
        let place = |name: &String| declaration.columns.iter().position(|c| c.name == *name);
        let key = declaration.key.iter().filter_map(place).collect();
        Self {
            declaration,
            key,
            rows: BTreeMap::new(),
            written_by: BTreeMap::new(),
        }
    }

    /// The rows there are, in key order: whose each is, and its cells.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Whose, Cells)> {
        self.rows
            .iter()
            .filter(|(_, row)| !row.deleted)
            .map(|(key, row)| {
                let mut cells = cells::empty();
                row.write(&mut cells);
                (&key.whose, cells)
            })
    }

    fn read_key(&self, cells: &mut CellReader<'_>, whose: &Whose) -> RowKey {
        let kept = |is_keyed, name: &String| match is_keyed {
            true => name.clone(),
            false => String::new(),
        };
        RowKey {
            whose: Whose {
                tenant: kept(self.declaration.tenant_keyed, &whose.tenant),
                stream: kept(self.declaration.stream_keyed, &whose.stream),
            },
            values: self.key.iter().map(|_| Stored::read(cells)).collect(),
        }
    }

    fn apply(
        &mut self,
        command: &Command,
        key: RowKey,
        event: u32,
        cells: &mut CellReader<'_>,
    ) -> Result<(), String> {
        let values: Vec<_> = command.named.iter().map(|_| Stored::read(cells)).collect();
        let held = self.rows.get(&key);
        let version = command.guard.unwrap_or(0);
        if self.declaration.guarded && held.is_some_and(|row| version <= row.version) {
            let goes_on = held.is_some_and(|row| version == row.version)
                && self.written_by.get(&key) == Some(&event);
            if !goes_on {
                return Ok(());
            }
        }
        self.written_by.insert(key.clone(), event);
        let held = held.filter(|row| !row.deleted).cloned();
        let row = match command.op {
            op::DELETE if !self.declaration.guarded => {
                self.rows.remove(&key);
                return Ok(());
            }
            op::DELETE => Row {
                deleted: true,
                ..self.bare(&key, version)
            },
            op::UPSERT => self.with(self.bare(&key, version), command, values)?,
            _ => {
                let row = held.unwrap_or_else(|| self.bare(&key, version));
                self.with(Row { version, ..row }, command, values)?
            }
        };
        if !row.deleted {
            self.check_nulls(&row)?;
        }
        self.rows.insert(key, row);
        Ok(())
    }

    /// A row with its key and nothing else.
    fn bare(&self, key: &RowKey, version: u64) -> Row {
        let mut values = vec![Stored::Null; self.declaration.columns.len()];
        for (column, value) in self.key.iter().zip(&key.values) {
            values[*column] = value.clone();
        }
        Row {
            values,
            version,
            deleted: false,
        }
    }

    fn with(&self, mut row: Row, command: &Command, values: Vec<Stored>) -> Result<Row, String> {
        for (&column, value) in command.named.iter().zip(values) {
            let held = &mut row.values[column];
            *held = match command.op {
                op::INCREMENT => {
                    let column = &self.declaration.columns[column];
                    held.plus(value, column.type_)
                        .map_err(|e| self.says(&format!("column `{}`: {e}", column.name)))?
                }
                _ => value,
            };
        }
        Ok(row)
    }

    fn check_nulls(&self, row: &Row) -> Result<(), String> {
        let columns = self.declaration.columns.iter().zip(&row.values);
        match columns
            .into_iter()
            .find(|(c, value)| !c.nullable && **value == Stored::Null)
        {
            None => Ok(()),
            Some((column, _)) => Err(self.says(&format!(
                "column `{}` would be null, which it must not be: upsert the row first, \
                 or make the column an `Option`",
                column.name
            ))),
        }
    }

    fn says(&self, problem: &str) -> String {
        format!("table `{}`: {problem}", self.declaration.name)
    }
}

impl Row {
    fn write(&self, to: &mut Cells) {
        let mut to = CellWriter::new(to);
        for value in &self.values {
            match value {
                Stored::Null => to.null(),
                Stored::Boolean(value) => to.boolean(*value),
                Stored::Integer(value) => to.integer(*value),
                Stored::Float(value) => to.float(*value),
                Stored::Text(value) => to.text(value),
                Stored::Bytes(value) => to.bytes(value),
            }
        }
    }
}

impl Stored {
    /// The next value. The SDK's own writer made it, so that it is there.
    fn read(cells: &mut CellReader<'_>) -> Self {
        match cells.next() {
            Ok(Cell::Null) => Self::Null,
            Ok(Cell::Boolean(value)) => Self::Boolean(value),
            Ok(Cell::Integer(value)) => Self::Integer(value),
            Ok(Cell::Float(value)) => Self::Float(value),
            Ok(Cell::Text(value)) => Self::Text(value.to_owned()),
            Ok(Cell::Bytes(value)) => Self::Bytes(value.to_vec()),
            Err(error) => panic!("the commands are malformed: {error}"),
        }
    }

    /// The sum, in the arithmetic of the column's type; null counts as zero.
    fn plus(&self, by: Self, column: ColumnType) -> Result<Self, String> {
        let out_of_range = || "the sum is out of range".to_owned();
        Ok(match (self, by) {
            (Self::Null, by) => by,
            (_, Self::Null) => self.clone(),
            (Self::Integer(a), Self::Integer(b)) => {
                Self::Integer(a.checked_add(b).ok_or_else(out_of_range)?)
            }
            (Self::Float(a), Self::Float(b)) => Self::Float(a + b),
            (Self::Text(a), Self::Text(b)) if column == ColumnType::Decimal => {
                let number = |text: &str| text.parse::<Decimal>();
                let sum = number(a).and_then(|a| a.plus(number(&b)?));
                Self::Text(sum.map_err(|e| e.to_string())?.to_string())
            }
            _ => return Err("it cannot be incremented".into()),
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Integer(_) => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
        }
    }
}

impl Ord for Stored {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Stored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Stored {}

/// Answers the reads of one batch, as the host does.
#[derive(Debug, Clone)]
pub(super) struct MemoryReader {
    pub(super) state: Rc<RefCell<ReadState>>,
}

#[derive(Debug)]
pub(super) struct ReadState {
    pub(super) memory: Memory,
    pub(super) whose: Whose,
    /// The first command that the host would have refused.
    pub(super) refused: Option<Failure>,
}

impl Reader for MemoryReader {
    fn get(&mut self, pending: &Commands, table: u16, count: u32, keys: &Cells) -> Found {
        let ReadState {
            memory,
            whose,
            refused,
        } = &mut *self.state.borrow_mut();
        if refused.is_none() {
            *refused = memory.apply(pending, whose).err();
        }
        memory.find(table, count, keys, whose)
    }
}

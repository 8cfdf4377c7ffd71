//! What a projector does to its rows.

use std::marker::PhantomData;

use crate::assign::{Assign, Number};
use crate::bindings::lantern::projector::rows::Found;
use crate::bindings::lantern::projector::types::{Cells, Commands};
use crate::cells::{self, CellReader, CellWriter};
use crate::error::Result;
use crate::table::{Column, Guarded, Key, Owned, Table};

pub(crate) mod op {
    //! What stands in `commands.ops`.

    pub(crate) const UPSERT: u8 = 0;
    pub(crate) const PATCH: u8 = 1;
    pub(crate) const INCREMENT: u8 = 2;
    pub(crate) const DELETE: u8 = 3;
}

/// The rows of a projector's tables.
///
/// Commands are gathered and carried out by the host, together with the
/// checkpoint, in one transaction. [`get`](Rows::get) asks the host, and sees
/// what the projector has done so far, in this event and in earlier ones.
/// Prefer commands: a read costs more than a few of them.
#[derive(Debug)]
pub struct Rows {
    commands: Commands,
    event: u32,
    version: u64,
    /// Room for the keys of a read, kept for the next.
    keys: Cells,
    reader: Box<dyn Reader>,
}

/// A command that has been made. It needs nothing more; on a guarded table it
/// can be given another version.
#[derive(Debug)]
pub struct Command<'r, T> {
    rows: &'r mut Rows,
    table: PhantomData<fn() -> T>,
}

/// A patch of a row. It stands as it is, and grows with each `set`.
#[derive(Debug)]
pub struct Patch<'r, T>(Command<'r, T>);

/// An increment of a row. It stands as it is, and grows with each `by`.
#[derive(Debug)]
pub struct Increment<'r, T>(Command<'r, T>);

impl Rows {
    /// Makes the row be exactly this one, whether there was one or not.
    #[inline]
    pub fn upsert<T: Owned>(&mut self, row: &T) -> Command<'_, T> {
        self.begin::<T>(op::UPSERT);
        row.to_key()
            .write(&mut CellWriter::new(&mut self.commands.cells));
        self.commands.columns.extend_from_slice(T::VALUES);
        row.write(&mut CellWriter::new(&mut self.commands.cells));
        if let Some(width) = self.commands.widths.last_mut() {
            *width = T::VALUES.len() as u16;
        }
        self.command()
    }

    /// Sets some columns of a row and leaves the others. Where there is no row
    /// it makes one, with null in the others.
    #[inline]
    pub fn patch<K: Key<Table: Owned>>(&mut self, key: K) -> Patch<'_, K::Table> {
        self.begin_at(op::PATCH, key);
        Patch(self.command())
    }

    /// Adds to some columns of a row; null counts as zero. Where there is no
    /// row it makes one, with null in the other columns.
    #[inline]
    pub fn increment<K: Key<Table: Owned>>(&mut self, key: K) -> Increment<'_, K::Table> {
        self.begin_at(op::INCREMENT, key);
        Increment(self.command())
    }

    /// Removes a row, if there is one.
    #[inline]
    pub fn delete<K: Key<Table: Owned>>(&mut self, key: K) -> Command<'_, K::Table> {
        self.begin_at(op::DELETE, key);
        self.command()
    }

    /// Reads a row; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Fails when the row does not hold what the struct says.
    pub fn get<K: Key<Table: Owned>>(&mut self, key: K) -> Result<Option<K::Table>> {
        let found = self.ask([key]);
        match found.present.first() {
            Some(1) => K::Table::read(&mut CellReader::new(&found.cells)).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads many rows of one table in one go, which is much cheaper than one
    /// by one; `None` for each that is not there.
    ///
    /// # Errors
    ///
    /// Fails when a row does not hold what the struct says.
    pub fn get_many<K: Key<Table: Owned>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<K::Table>>> {
        let found = self.ask(keys);
        let mut cells = CellReader::new(&found.cells);
        let read = |present: &u8| match present {
            1 => K::Table::read(&mut cells).map(Some),
            _ => Ok(None),
        };
        found.present.iter().map(read).collect()
    }

    pub(crate) fn new(events: usize, reader: Box<dyn Reader>) -> Self {
        Self {
            commands: with_room(events),
            event: 0,
            version: 0,
            keys: cells::empty(),
            reader,
        }
    }

    /// Makes the commands that follow answer this event.
    #[inline]
    pub(crate) fn answer(&mut self, event: u32, version: u64) {
        self.event = event;
        self.version = version;
    }

    pub(crate) fn into_commands(self) -> Commands {
        self.commands
    }

    #[inline]
    fn begin_at<K: Key<Table: Owned>>(&mut self, op: u8, key: K) {
        self.begin::<K::Table>(op);
        key.write(&mut CellWriter::new(&mut self.commands.cells));
    }

    /// Begins a command; the caller writes the key and the values.
    #[inline]
    fn begin<T: Owned>(&mut self, op: u8) {
        let commands = &mut self.commands;
        if T::GUARDED {
            // The list is empty until a first command is guarded.
            commands.guards.resize(commands.ops.len(), 0);
            commands.guards.push(self.version);
        } else if !commands.guards.is_empty() {
            commands.guards.push(0);
        }
        commands.ops.push(op);
        commands.tables.push(T::INDEX);
        commands.events.push(self.event);
        commands.widths.push(0);
    }

    #[inline]
    fn command<T>(&mut self) -> Command<'_, T> {
        Command {
            rows: self,
            table: PhantomData,
        }
    }

    fn ask<K: Key<Table: Owned>>(&mut self, keys: impl IntoIterator<Item = K>) -> Found {
        cells::clear(&mut self.keys);
        let mut count = 0;
        for key in keys {
            key.write(&mut CellWriter::new(&mut self.keys));
            count += 1;
        }
        let table = <K::Table as Owned>::INDEX;
        let found = self.reader.get(&self.commands, table, count, &self.keys);
        clear(&mut self.commands);
        found
    }
}

impl<T: Guarded> Command<'_, T> {
    /// Guards the command with this version instead of the event's.
    #[inline]
    pub fn guard(self, version: u64) -> Self {
        if let Some(guard) = self.rows.commands.guards.last_mut() {
            *guard = version;
        }
        self
    }
}

impl<T: Table> Command<'_, T> {
    #[inline]
    fn column<V>(&mut self, column: Column<T, V>, value: impl Assign<V>) {
        let commands = &mut self.rows.commands;
        commands.columns.push(column.index);
        value.write(&mut CellWriter::new(&mut commands.cells));
        if let Some(width) = commands.widths.last_mut() {
            *width += 1;
        }
    }
}

impl<T: Table> Patch<'_, T> {
    /// Sets a column.
    #[inline]
    pub fn set<V>(mut self, column: Column<T, V>, value: impl Assign<V>) -> Self {
        self.0.column(column, value);
        self
    }

    /// Sets a nullable column to null.
    #[inline]
    pub fn clear<V: crate::Value>(mut self, column: Column<T, Option<V>>) -> Self {
        self.0.column(column, None::<V>);
        self
    }

    /// Guards the command with this version instead of the event's.
    #[inline]
    pub fn guard(self, version: u64) -> Self
    where
        T: Guarded,
    {
        Self(self.0.guard(version))
    }
}

impl<T: Table> Increment<'_, T> {
    /// Adds to a column.
    #[inline]
    pub fn by<V: Number>(mut self, column: Column<T, V>, amount: impl Assign<V>) -> Self {
        self.0.column(column, amount);
        self
    }

    /// Guards the command with this version instead of the event's.
    #[inline]
    pub fn guard(self, version: u64) -> Self
    where
        T: Guarded,
    {
        Self(self.0.guard(version))
    }
}

/// Who answers reads: the host, or a test's memory.
pub(crate) trait Reader: std::fmt::Debug {
    /// Takes over the pending commands and returns the rows for the keys.
    fn get(&mut self, pending: &Commands, table: u16, count: u32, keys: &Cells) -> Found;
}

/// An empty block of commands, with room for what a batch usually needs: one
/// command an event, four values a command. Room not used is never touched, and
/// so costs nothing.
fn with_room(events: usize) -> Commands {
    let values = events * 4;
    Commands {
        ops: Vec::with_capacity(events),
        tables: Vec::with_capacity(events),
        events: Vec::with_capacity(events),
        guards: Vec::new(),
        widths: Vec::with_capacity(events),
        columns: Vec::with_capacity(values),
        cells: Cells {
            tags: Vec::with_capacity(values),
            integers: Vec::with_capacity(values),
            texts: String::with_capacity(values * 16),
            text_ends: Vec::with_capacity(values),
            ..cells::empty()
        },
    }
}

/// Forgets the commands and keeps the room they took.
fn clear(commands: &mut Commands) {
    commands.ops.clear();
    commands.tables.clear();
    commands.events.clear();
    commands.guards.clear();
    commands.widths.clear();
    commands.columns.clear();
    cells::clear(&mut commands.cells);
}

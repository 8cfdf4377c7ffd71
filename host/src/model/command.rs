//! What a projector tells the host to do to its rows.

use super::cells::{CellReader, Cells, MalformedCells};

/// What a command does to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The row is exactly the given columns; all others are null.
    Upsert,
    /// Sets the given columns; makes the row when there is none.
    Patch,
    /// Adds to the given columns; makes the row when there is none.
    Increment,
    /// Removes the row, if there is one.
    Delete,
}

/// Commands on the rows of one projector, in order, as columns: the form in
/// which they leave a sandbox. Nothing in it has been checked yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Commands {
    /// 0 upsert, 1 patch, 2 increment, 3 delete.
    pub ops: Vec<u8>,
    /// The table of each command, as an index into the description.
    pub tables: Vec<u16>,
    /// The event each command answers, as an index into the batch.
    pub events: Vec<u32>,
    /// The entity version of each command; empty when none is guarded.
    pub guards: Vec<u64>,
    /// How many columns each command names besides the key.
    pub widths: Vec<u16>,
    /// The named columns of all commands, end to end.
    pub columns: Vec<u16>,
    /// For each command its key, then its column values.
    pub cells: Cells,
}

/// One command; its key and values are the next to be read from the cells.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// What it does.
    pub operation: Operation,
    /// The index of the table.
    pub table: usize,
    /// The event it answers, as an index into the batch.
    pub event: u32,
    /// The entity version it carries; 0 when it carries none.
    pub guard: u64,
    /// The columns it names besides the key.
    pub columns: &'a [u16],
}

/// The columns of a block of commands do not agree with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCommands {
    /// The lists have different lengths.
    #[error("the lists of a block of commands have different lengths")]
    Lengths,
    /// The operation is none of those defined.
    #[error("{0} is not an operation")]
    UnknownOperation(u8),
    /// The values do not agree.
    #[error(transparent)]
    Cells(#[from] MalformedCells),
    /// Something is left over after the last command.
    #[error("there are more columns or values than the commands call for")]
    LeftOver,
}

impl Commands {
    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Reads the commands from the first on.
    ///
    /// # Errors
    ///
    /// Fails when the lists have different lengths.
    pub fn reader(&self) -> Result<CommandReader<'_>, MalformedCommands> {
        let n = self.ops.len();
        let guards_fit = self.guards.is_empty() || self.guards.len() == n;
        if self.tables.len() != n || self.events.len() != n || self.widths.len() != n || !guards_fit
        {
            return Err(MalformedCommands::Lengths);
        }
        Ok(CommandReader {
            commands: self,
            at: 0,
            column: 0,
            cells: self.cells.reader(),
        })
    }
}

/// Reads commands one after the other. After each, the caller reads the key's
/// values and then one value per named column from [`CommandReader::cells`].
#[derive(Debug)]
pub struct CommandReader<'a> {
    commands: &'a Commands,
    at: usize,
    column: usize,
    /// Where the values of the current command are read from.
    pub cells: CellReader<'a>,
}

impl<'a> CommandReader<'a> {
    /// The next command, or `None` after the last.
    #[inline]
    pub fn next_command(&mut self) -> Result<Option<Command<'a>>, MalformedCommands> {
        let Some(&op) = self.commands.ops.get(self.at) else {
            let all_read = self.cells.is_at_end() && self.column == self.commands.columns.len();
            return if all_read {
                Ok(None)
            } else {
                Err(MalformedCommands::LeftOver)
            };
        };
        let operation = match op {
            0 => Operation::Upsert,
            1 => Operation::Patch,
            2 => Operation::Increment,
            3 => Operation::Delete,
            other => return Err(MalformedCommands::UnknownOperation(other)),
        };
        let width = usize::from(self.commands.widths[self.at]);
        let columns = self
            .commands
            .columns
            .get(self.column..self.column + width)
            .ok_or(MalformedCommands::Lengths)?;
        let command = Command {
            operation,
            table: usize::from(self.commands.tables[self.at]),
            event: self.commands.events[self.at],
            guard: self.commands.guards.get(self.at).copied().unwrap_or(0),
            columns,
        };
        self.at += 1;
        self.column += width;
        Ok(Some(command))
    }

    /// The index of the command read last.
    pub fn index(&self) -> usize {
        self.at.saturating_sub(1)
    }
}

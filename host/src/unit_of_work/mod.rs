//! Folds the commands of many events into one change per row.
//!
//! The door to this room: [`UnitOfWork`] takes commands in, in order, and gives
//! out the rows to write, each once, however many commands touched it. It keeps
//! the rows it has seen, so that most commands and reads never reach the
//! database; because a generation has exactly one writer, what it remembers
//! stays true from one commit to the next.
//!
//! The room is pure: it does no I/O. Where a command depends on a row it does
//! not know, it names the key ([`UnitOfWork::unknown_rows`]) and the caller
//! brings the row ([`UnitOfWork::learn`]).

mod cache;
mod fold;
mod key;

pub use fold::{CommandError, CommandProblem};

use std::sync::Arc;

use hashbrown::HashSet;

use cache::{Known, TableCache};

use crate::model::{Cells, Changes, Commands, MalformedCommands, Row, Table, TableChanges, Value};

/// The changes gathered since the last commit, and the rows known so far.
#[derive(Debug)]
pub struct UnitOfWork {
    tables: Vec<TableCache>,
    /// How many of them commands and look-ups reach: the projector's, which come
    /// first. The others are the host's.
    own: usize,
    /// The group of commands being gathered, counted from 1.
    group: u64,
    /// Bytes of values taken in since the group began.
    gathered_bytes: usize,
    /// The most bytes of rows to remember between commits.
    memory_budget: usize,
    /// Commands of this group that were ignored because their entity version was
    /// not newer.
    ignored: u64,
    /// The same when the present batch began.
    ignored_before: u64,
}

/// A row whose present state is asked for: its table and key.
#[derive(Debug, Clone, PartialEq)]
pub struct RowKey {
    /// The index of the table.
    pub table: usize,
    /// The key's values, tenant and stream included.
    pub values: Vec<Value>,
}

/// Whose events commands answer: what the host puts into the keys of tables that
/// are keyed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Whose<'a> {
    /// The tenant, where any table is keyed by it.
    pub tenant: &'a str,
    /// The stream, where any table is keyed by it.
    pub stream: &'a str,
}

impl<'a> Whose<'a> {
    /// The host's own columns of a table and what they hold, in key order.
    fn host_values(self, table: &Table) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let tenant = table.tenant_column().map(|column| (column, self.tenant));
        let stream = table.stream_column().map(|column| (column, self.stream));
        tenant.into_iter().chain(stream)
    }
}

/// What is known of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// It is this.
    Row(Arc<Row>),
    /// There is none.
    Absent,
    /// The database must be asked for this row.
    Unknown(RowKey),
}

/// A group of changes handed out for a commit; says so when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "tell the unit of work when the group is committed"]
pub struct Group {
    number: u64,
    /// Commands of the group that were ignored because their version was not
    /// newer.
    pub ignored: u64,
}

impl UnitOfWork {
    /// Begins with nothing known.
    ///
    /// `starts_empty` says that the tables hold no row, so that a row which is
    /// not remembered is known to be absent. `memory_budget` is in bytes.
    pub fn new(tables: &[Table], memory_budget: usize, starts_empty: bool) -> Self {
        let tables: Vec<_> = tables
            .iter()
            .map(|table| TableCache::new(table.clone(), starts_empty))
            .collect();
        Self {
            own: tables.len(),
            tables,
            group: 1,
            gathered_bytes: 0,
            memory_budget,
            ignored: 0,
            ignored_before: 0,
        }
    }

    /// Keeps all tables but the first `own` from commands and look-ups.
    pub fn with_own(mut self, own: usize) -> Self {
        self.own = own;
        self
    }

    /// The rows on whose present state these commands depend and that are not
    /// known, each once. Empty as a rule.
    pub fn unknown_rows(
        &self,
        commands: &Commands,
        whose: Whose<'_>,
    ) -> Result<Vec<RowKey>, CommandError> {
        if self.tables.iter().all(TableCache::is_complete) {
            return Ok(Vec::new());
        }
        fold::unknown_rows(&self.tables[..self.own], commands, whose)
    }

    /// Whether everything is known about a table, so that no key of it has ever to
    /// be asked for.
    pub fn knows_all_of(&self, table: usize) -> bool {
        self.tables[table].is_complete()
    }

    /// Of these rows, in their order, those about which nothing is known, each
    /// once and `most` at most.
    pub fn unknown_of(&self, keys: impl IntoIterator<Item = RowKey>, most: usize) -> Vec<RowKey> {
        let mut taken = HashSet::new();
        let mut is_unknown = |key: &RowKey| {
            let mut encoded = Vec::new();
            key::encode_values(&key.values, &mut encoded);
            !self.tables[key.table].knows(&encoded) && taken.insert((key.table, encoded))
        };
        let unknown = keys.into_iter().filter(|key| is_unknown(key));
        unknown.take(most).collect()
    }

    /// Takes note of a row as the database holds it, or that it holds none.
    pub fn learn(&mut self, key: &RowKey, row: Option<Row>) {
        let cache = &mut self.tables[key.table];
        let mut encoded = Vec::new();
        key::encode_values(&key.values, &mut encoded);
        cache.learn(&encoded, row.map(Arc::new));
    }

    /// Folds commands in, in order. All their events are of `whose` tenant and
    /// stream, as far as any table is keyed by it.
    ///
    /// # Errors
    ///
    /// Names the command at fault. The unit of work is then half-way through
    /// the block: call [`UnitOfWork::undo_batch`].
    pub fn apply(&mut self, commands: &Commands, whose: Whose<'_>) -> Result<(), CommandError> {
        self.gathered_bytes +=
            commands.cells.texts.len() + commands.cells.bytes.len() + commands.len() * 32;
        self.ignored += fold::apply(&mut self.tables[..self.own], self.group, commands, whose)?;
        Ok(())
    }

    /// What is known of the rows with these keys: `count` keys of one table end
    /// to end, each without tenant and stream.
    ///
    /// # Errors
    ///
    /// When there is no such table or the keys do not fit it.
    pub fn lookup(
        &mut self,
        table: usize,
        count: usize,
        keys: &Cells,
        whose: Whose<'_>,
    ) -> Result<Vec<Lookup>, CommandProblem> {
        let cache = self.tables[..self.own]
            .get_mut(table)
            .ok_or(CommandProblem::NoTable(table))?;
        let mut reader = keys.reader();
        let mut encoded = Vec::new();
        let mut found = Vec::new();
        for _ in 0..count {
            let before = reader.clone();
            fold::encode_key(cache.table(), whose, &mut reader, &mut encoded)?;
            found.push(match cache.find(&encoded) {
                Known::Row(row) => Lookup::Row(row),
                Known::Absent => Lookup::Absent,
                Known::Unknown => Lookup::Unknown(RowKey {
                    table,
                    values: fold::read_key(cache.table(), whose, &mut before.clone())?,
                }),
            });
        }
        if !reader.is_at_end() {
            return Err(CommandProblem::Malformed(MalformedCommands::LeftOver));
        }
        Ok(found)
    }

    /// What is known of a row of any table.
    pub fn find(&mut self, key: &RowKey) -> Lookup {
        let mut encoded = Vec::new();
        key::encode_values(&key.values, &mut encoded);
        match self.tables[key.table].find(&encoded) {
            Known::Row(row) => Lookup::Row(row),
            Known::Absent => Lookup::Absent,
            Known::Unknown => Lookup::Unknown(key.clone()),
        }
    }

    /// Writes a row of any table whole. It is undone with its batch.
    pub fn put(&mut self, table: usize, row: Row) {
        let cache = &mut self.tables[table];
        let mut encoded = Vec::new();
        for &column in &cache.table().key {
            key::encode_value(&row.values[column], &mut encoded);
        }
        self.gathered_bytes += encoded.len() + 32;
        let slot = cache.slot(&encoded, self.group, 0);
        *cache.row_mut(slot, self.group, 0) = Some(Arc::new(row));
    }

    /// How many rows have been changed since the group began.
    pub fn gathered_rows(&self) -> usize {
        self.tables.iter().map(TableCache::changed).sum()
    }

    /// How many bytes the changes since the group began take, at most: what has
    /// been taken in, and never more than all rows that are remembered, however
    /// often they changed.
    pub fn gathered_bytes(&self) -> usize {
        let remembered: usize = self.tables.iter().map(TableCache::bytes).sum();
        self.gathered_bytes.min(remembered)
    }

    /// Closes the group and hands out its changes; a new group begins. The rows
    /// stay known while the changes are on their way to the database.
    pub fn take_changes(&mut self) -> (Changes, Group) {
        let mut changes = Changes::default();
        for (index, cache) in self.tables.iter_mut().enumerate() {
            let (puts, removes) = cache.take_changed();
            if !puts.is_empty() || !removes.is_empty() {
                changes.tables.push(TableChanges {
                    table: index,
                    puts,
                    removes,
                });
            }
        }
        let group = Group {
            number: self.group,
            ignored: self.ignored,
        };
        self.group += 1;
        self.gathered_bytes = 0;
        self.ignored = 0;
        self.ignored_before = 0;
        (changes, group)
    }

    /// Takes note that a group is in the database. Rows that were only kept for
    /// it may now be forgotten, when memory is short.
    pub fn committed(&mut self, group: Group) {
        let remembered: usize = self.tables.iter().map(TableCache::bytes).sum();
        let mut over = remembered.saturating_sub(self.memory_budget);
        for cache in &mut self.tables {
            over = over.saturating_sub(cache.forget(over, group.number));
        }
    }

    /// Begins a batch: its commands can be undone until the next one begins.
    pub fn begin_batch(&mut self) {
        self.tables.iter_mut().for_each(TableCache::begin_batch);
        self.ignored_before = self.ignored;
    }

    /// Begins a part of the batch, whose events are counted from 0 again.
    pub fn begin_part(&mut self) {
        self.tables.iter_mut().for_each(TableCache::begin_part);
    }

    /// Undoes every command since the batch began.
    pub fn undo_batch(&mut self) {
        self.tables.iter_mut().for_each(TableCache::undo_batch);
        self.ignored = self.ignored_before;
    }
}

#[cfg(test)]
mod guard_properties;
#[cfg(test)]
mod tests;

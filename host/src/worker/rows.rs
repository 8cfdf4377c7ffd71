//! What the worker knows of its rows: answers the projector's reads from the
//! unit of work, and from the read store where it must.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Cells, Commands, Row, Table, Value};
use crate::read_store::{RowReader, StoreError};
use crate::sandbox::{FoundRows, Rows, RowsRefused};
use crate::unit_of_work::{CommandError, CommandProblem, Lookup, RowKey, UnitOfWork, Whose};

/// A unit of work with the database behind it. Clones share the same ledger;
/// it is locked only for the length of a call.
#[derive(Clone)]
pub(super) struct Ledger(Arc<Mutex<Inner>>);

struct Inner {
    unit: UnitOfWork,
    reader: Box<dyn RowReader>,
    tables: Vec<Table>,
    tenant: String,
    stream: String,
    refusal: Option<LedgerError>,
}

/// Why the ledger did not do what the projector asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum LedgerError {
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A read names a table or key that there cannot be.
    #[error("a read of rows is wrong")]
    Read(#[source] CommandProblem),
    /// A read asks for more than the host will hold at once.
    #[error(
        "a read of rows would bring more than {} MiB at once; ask for fewer",
        MOST_ANSWER_BYTES >> 20
    )]
    TooMuch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most bytes that one read brings. It is built on the host's side before
/// the projector's own memory limits it.
const MOST_ANSWER_BYTES: usize = 16 << 20;

impl Ledger {
    pub(super) fn new(unit: UnitOfWork, reader: Box<dyn RowReader>, tables: &[Table]) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            unit,
            reader,
            tables: tables.to_vec(),
            tenant: String::new(),
            stream: String::new(),
            refusal: None,
        })))
    }

    /// Works with the unit of work.
    pub(super) fn with_unit<T>(&self, work: impl FnOnce(&mut UnitOfWork) -> T) -> T {
        work(&mut self.lock().unit)
    }

    /// Reads rows through another reader from here on.
    pub(super) fn read_through(&self, reader: Box<dyn RowReader>) {
        self.lock().reader = reader;
    }

    /// From here on, commands and reads are those of this tenant's or stream's
    /// events.
    pub(super) fn serve(&self, whose: Whose<'_>) {
        let mut inner = self.lock();
        inner.refusal = None;
        inner.unit.begin_part();
        whose.tenant.clone_into(&mut inner.tenant);
        whose.stream.clone_into(&mut inner.stream);
    }

    /// Reads rows that events will need, as they say: those of one table together.
    ///
    /// What the database has against a key is left for the read that the projector
    /// itself may make: nothing that follows from a hint is a failure.
    ///
    /// # Errors
    ///
    /// When the database cannot be had at present.
    pub(super) fn look_ahead(&self, keys: &[RowKey]) -> Result<(), StoreError> {
        let inner = &mut *self.lock();
        match learn(&mut inner.unit, &mut *inner.reader, keys) {
            Err(error) if error.is_transient() => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Folds commands in, after reading the rows they depend on.
    pub(super) fn fold(&self, commands: &Commands) -> Result<(), LedgerError> {
        self.lock().fold(commands)
    }

    /// The versions that entities have come to, by the table in which the host keeps
    /// them; 0 where nothing is known of one.
    pub(super) fn versions(
        &self,
        table: usize,
        keys: &[Vec<Value>],
    ) -> Result<Vec<u64>, StoreError> {
        self.lock().versions(table, keys)
    }

    /// Writes rows of one of the host's tables.
    pub(super) fn put(&self, table: usize, rows: Vec<Row>) {
        let unit = &mut self.lock().unit;
        rows.into_iter().for_each(|row| unit.put(table, row));
    }

    /// Why the last read or command of the projector was refused.
    pub(super) fn take_refusal(&self) -> Option<LedgerError> {
        self.lock().refusal.take()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // After a panic in the fold the worker ends, and the ledger with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows for Ledger {
    fn take(&mut self, commands: Commands) -> Result<(), RowsRefused> {
        let mut inner = self.lock();
        let folded = inner.fold(&commands);
        inner.refuse(folded)
    }

    fn get(&mut self, table: usize, count: usize, keys: &Cells) -> Result<FoundRows, RowsRefused> {
        let mut inner = self.lock();
        let found = inner.get(table, count, keys);
        inner.refuse(found)
    }
}

impl Inner {
    fn fold(&mut self, commands: &Commands) -> Result<(), LedgerError> {
        if commands.is_empty() {
            return Ok(());
        }
        let whose = Whose {
            tenant: &self.tenant,
            stream: &self.stream,
        };
        let unknown = self.unit.unknown_rows(commands, whose)?;
        learn(&mut self.unit, &mut *self.reader, &sorted(unknown))?;
        Ok(self.unit.apply(commands, whose)?)
    }

    fn get(&mut self, table: usize, count: usize, keys: &Cells) -> Result<FoundRows, LedgerError> {
        let mut found = self.lookup(table, count, keys)?;
        let unknown: Vec<RowKey> = found
            .iter()
            .filter_map(|lookup| match lookup {
                Lookup::Unknown(key) => Some(key.clone()),
                _ => None,
            })
            .collect();
        if !unknown.is_empty() {
            learn(&mut self.unit, &mut *self.reader, &sorted(unknown))?;
            found = self.lookup(table, count, keys)?;
        }
        let host_columns = self.tables[table].host_columns();
        let mut answer = FoundRows::default();
        for lookup in &found {
            let row = match lookup {
                Lookup::Row(row) if !row.deleted => Some(row),
                _ => None,
            };
            answer.present.push(u8::from(row.is_some()));
            if let Some(row) = row {
                push_row(row, host_columns, &mut answer.cells);
                let cells = &answer.cells;
                if cells.texts.len() + cells.bytes.len() + cells.len() * 16 > MOST_ANSWER_BYTES {
                    return Err(LedgerError::TooMuch);
                }
            }
        }
        Ok(answer)
    }

    fn lookup(
        &mut self,
        table: usize,
        count: usize,
        keys: &Cells,
    ) -> Result<Vec<Lookup>, LedgerError> {
        let whose = Whose {
            tenant: &self.tenant,
            stream: &self.stream,
        };
        self.unit
            .lookup(table, count, keys, whose)
            .map_err(LedgerError::Read)
    }

    fn versions(&mut self, table: usize, keys: &[Vec<Value>]) -> Result<Vec<u64>, StoreError> {
        let mut versions = vec![0; keys.len()];
        let mut unknown = Vec::new();
        for (at, values) in keys.iter().enumerate() {
            let values = values.clone();
            match self.unit.find(&RowKey { table, values }) {
                Lookup::Row(row) => versions[at] = version_of(&row),
                Lookup::Absent => {}
                Lookup::Unknown(key) => unknown.push((at, key)),
            }
        }
        if unknown.is_empty() {
            return Ok(versions);
        }
        let keys = unknown.iter().map(|(_, key)| key.clone()).collect();
        learn(&mut self.unit, &mut *self.reader, &sorted(keys))?;
        for (at, key) in unknown {
            if let Lookup::Row(row) = self.unit.find(&key) {
                versions[at] = version_of(&row);
            }
        }
        Ok(versions)
    }

    fn refuse<T>(&mut self, result: Result<T, LedgerError>) -> Result<T, RowsRefused> {
        result.map_err(|error| {
            self.refusal.get_or_insert(error);
            RowsRefused
        })
    }
}

/// The last column of the table of versions.
fn version_of(row: &Row) -> u64 {
    match row.values.last() {
        Some(Value::Integer(version)) => *version as u64,
        _ => 0,
    }
}

/// The keys of each table in a row.
fn sorted(mut keys: Vec<RowKey>) -> Vec<RowKey> {
    keys.sort_by_key(|key| key.table);
    keys
}

/// Reads rows from the database, those of one table together: the keys of each
/// stand in a row.
fn learn(
    unit: &mut UnitOfWork,
    reader: &mut dyn RowReader,
    unknown: &[RowKey],
) -> Result<(), StoreError> {
    for keys in unknown.chunk_by(|a, b| a.table == b.table) {
        let values: Vec<_> = keys.iter().map(|key| key.values.clone()).collect();
        let rows = reader.get(keys[0].table, &values)?;
        for (key, row) in keys.iter().zip(rows) {
            unit.learn(key, row);
        }
    }
    Ok(())
}

fn push_row(row: &Row, host_columns: usize, cells: &mut Cells) {
    for value in &row.values[host_columns..] {
        cells.push(value.as_cell());
    }
}

//! Given, when, then.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::batch::{self, WholeEvent};
use super::events::GivenEvent;
use super::memory::{Memory, MemoryReader, ReadState, Whose};
use crate::bindings::lantern::projector::types::{Cells, ColumnType, Description, Failure};
use crate::cells::{Cell, CellReader};
use crate::projector::Projector;
use crate::rows::Rows;
use crate::table::{Key, Table};
use crate::timestamp::Timestamp;

/// Events that wait for a projector.
#[derive(Debug, Clone)]
pub struct Given {
    events: Vec<GivenEvent>,
}

/// What a projector made of the events.
#[derive(Debug, Clone)]
pub struct Projected {
    outcome: Run,
}

/// The rows after the last batch, or the failure: which of the given events,
/// and why.
type Run = Result<Memory, (usize, String)>;

/// These events have happened, in this order.
pub fn given(events: impl IntoIterator<Item = GivenEvent>) -> Given {
    Given {
        events: events.into_iter().collect(),
    }
}

impl Given {
    /// Projects the events: all in one batch, one by one, and all in one again.
    ///
    /// # Panics
    ///
    /// Panics when the three do not end alike: then the projector keeps
    /// something outside of its rows, or lets chance in.
    #[track_caller]
    pub fn when(self, projector: impl Projector) -> Projected {
        let description = projector.describe();
        let events = batch::wanted(self.events, &description);
        let run = |size| run(&projector, &description, &events, size);
        let outcome = run(usize::MAX);
        assert_alike(
            &outcome,
            &run(1),
            "one batch of all events",
            "one batch per event",
        );
        assert_alike(&outcome, &run(usize::MAX), "a first run", "a second run");
        Projected { outcome }
    }
}

impl Projected {
    /// The table holds exactly these rows, in whatever order they are written
    /// here. Rows of all tenants count.
    ///
    /// # Panics
    ///
    /// Panics when it does not, when a row cannot be read, or when the
    /// projector failed.
    #[track_caller]
    pub fn then<T: Table + PartialEq + Debug>(self, rows: impl IntoIterator<Item = T>) -> Self {
        let found = self.rows::<T>();
        let mut missing: Vec<T> = rows.into_iter().collect();
        let mut unexpected = Vec::new();
        for row in found {
            match missing.iter().position(|expected| *expected == row) {
                Some(index) => drop(missing.swap_remove(index)),
                None => unexpected.push(row),
            }
        }
        assert!(
            missing.is_empty() && unexpected.is_empty(),
            "table `{}` is not as expected\n missing: {missing:#?}\n unexpected: {unexpected:#?}",
            T::declaration().name,
        );
        self
    }

    /// The projector failed on this one of the given events, counted from 0,
    /// and its message has this text in it.
    ///
    /// # Panics
    ///
    /// Panics when it did not.
    #[track_caller]
    pub fn then_failure(self, event: usize, message: &str) -> Self {
        match &self.outcome {
            Ok(_) => panic!("expected a failure at event {event} with `{message}`; there was none"),
            Err((at, why)) => assert!(
                *at == event && why.contains(message),
                "expected a failure at event {event} with `{message}`; found event {at}: {why}"
            ),
        }
        self
    }

    /// The rows of a table, of all tenants, in the order of their keys.
    ///
    /// # Panics
    ///
    /// Panics when the projector failed or does not own the table, or when a
    /// row does not hold what the struct says.
    #[track_caller]
    pub fn rows<T: Table>(&self) -> Vec<T> {
        let name = T::declaration().name;
        self.cells(&name)
            .map(|(_, cells)| read(&name, &cells))
            .collect()
    }

    /// One row, by its key. In a tenant-keyed table, the first tenant's that
    /// has it.
    ///
    /// # Panics
    ///
    /// Panics when the projector failed or does not own the table, or when the
    /// row does not hold what the struct says.
    #[track_caller]
    pub fn row<K: Key>(&self, key: K) -> Option<K::Table> {
        let written = |write: &dyn Fn(&mut crate::CellWriter<'_>)| {
            let mut cells = crate::cells::empty();
            write(&mut crate::CellWriter::new(&mut cells));
            cells
        };
        let wanted = written(&|to| key.write(to));
        self.rows::<K::Table>()
            .into_iter()
            .find(|row| written(&|to| row.to_key().write(to)) == wanted)
    }

    /// The rows of a table as JSON objects, in the order of their keys: times
    /// in RFC 3339, json columns as what they hold, decimals as text, bytes in
    /// hexadecimal. In a tenant-keyed table `tenant` comes first, in a
    /// stream-keyed one `stream`, after it.
    ///
    /// # Panics
    ///
    /// Panics when the projector failed or owns no table of this name.
    #[track_caller]
    pub fn json(&self, table: &str) -> Value {
        let declaration = self.table(table).declaration.clone();
        let rows = self.cells(table).map(|(whose, cells)| {
            let mut row = Map::new();
            if declaration.tenant_keyed {
                row.insert("tenant".into(), whose.tenant.as_str().into());
            }
            if declaration.stream_keyed {
                row.insert("stream".into(), whose.stream.as_str().into());
            }
            let mut cells = CellReader::new(&cells);
            for column in &declaration.columns {
                let value = cells
                    .next()
                    .map_or(Value::Null, |cell| json(cell, column.type_));
                row.insert(column.name.clone(), value);
            }
            Value::Object(row)
        });
        rows.collect()
    }

    #[track_caller]
    fn cells(&self, table: &str) -> impl Iterator<Item = (&Whose, Cells)> {
        self.table(table).rows()
    }

    #[track_caller]
    fn table(&self, name: &str) -> &super::memory::MemoryTable {
        let memory = match &self.outcome {
            Ok(memory) => memory,
            Err((event, why)) => panic!("the projector failed at event {event}: {why}"),
        };
        match memory
            .tables
            .iter()
            .find(|table| table.declaration.name == name)
        {
            Some(table) => table,
            None => panic!("the projector has no table `{name}`"),
        }
    }
}

/// Projects the events in batches of at most so many. A projector with a
/// tenant-keyed or stream-keyed table gets one tenant's or stream's events in a
/// batch, as in the host.
fn run(
    projector: &impl Projector,
    description: &Description,
    events: &[WholeEvent],
    size: usize,
) -> Run {
    let by_tenant = description.tables.iter().any(|table| table.tenant_keyed);
    let by_stream = description.tables.iter().any(|table| table.stream_keyed);
    let go_together = |a: &WholeEvent, b: &WholeEvent| {
        (!by_tenant || a.tenant == b.tenant) && (!by_stream || a.stream == b.stream)
    };
    let mut memory = Memory::new(description);
    for part in events.chunk_by(go_together) {
        for batch in part.chunks(size) {
            memory = project(projector, description, batch, memory)
                .map_err(|failure| (batch[failure.event as usize].given, failure.message))?;
        }
    }
    Ok(memory)
}

fn project(
    projector: &impl Projector,
    description: &Description,
    events: &[WholeEvent],
    mut memory: Memory,
) -> Result<Memory, Failure> {
    let whose = Whose {
        tenant: events[0].tenant.clone(),
        stream: events[0].stream.clone(),
    };
    memory.begin_batch();
    let state = Rc::new(RefCell::new(ReadState {
        memory,
        whose,
        refused: None,
    }));
    let reader = MemoryReader {
        state: Rc::clone(&state),
    };
    let mut rows = Rows::new(events.len(), Box::new(reader));
    let batch = batch::columns(events, &description.needs);
    let projected = projector.project(&batch, &mut rows);
    let commands = rows.into_commands();
    let ReadState {
        mut memory,
        whose,
        refused,
    } = Rc::into_inner(state)
        .expect("the rows held the only other reference, and are gone")
        .into_inner();
    if let Some(refused) = refused {
        return Err(refused);
    }
    memory.apply(&commands, &whose)?;
    projected?;
    Ok(memory)
}

#[track_caller]
fn assert_alike(one: &Run, other: &Run, one_name: &str, other_name: &str) {
    assert!(
        one == other,
        "the projector does not depend on its events and rows alone\n after {one_name}: {one:#?}\n \
         after {other_name}: {other:#?}"
    );
}

#[track_caller]
fn read<T: Table>(table: &str, cells: &Cells) -> T {
    match T::read(&mut CellReader::new(cells)) {
        Ok(row) => row,
        Err(error) => panic!("a row of `{table}` cannot be read: {error}"),
    }
}

fn json(cell: Cell<'_>, column: ColumnType) -> Value {
    match (cell, column) {
        (Cell::Null, _) => Value::Null,
        (Cell::Boolean(value), _) => value.into(),
        (Cell::Integer(micros), ColumnType::Timestamp) => Timestamp(micros).to_string().into(),
        (Cell::Integer(value), _) => value.into(),
        (Cell::Float(value), _) => value.into(),
        (Cell::Text(text), ColumnType::Json) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
        (Cell::Text(text), _) => text.into(),
        (Cell::Bytes(bytes), _) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
    }
}

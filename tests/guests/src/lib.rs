//! What the misbehaving guests share: the raw interface, and a projector that
//! does as it should until it meets an event of type `probe.poison`.
//!
//! Each guest is a cargo example that says only in what it differs. Most speak
//! the interface itself, because the SDK does not let a guest misbehave. What
//! the host must answer stands in `tests/isolation/cases.rs`.
//!
//! A sound guest wants `probe.*` and owns one table, called like itself, into
//! which it notes the position of each event.

extern crate self as misbehaving;

pub use wit_bindgen;

/// The interface, as wit-bindgen makes it.
pub mod raw {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "projector",
        pub_export_macro: true,
        export_macro_name: "export_projector",
        default_bindings_module: "::misbehaving::raw",
        runtime_path: "::misbehaving::wit_bindgen::rt",
    });
}

pub use raw::exports::lantern::projector::projection::Guest;
pub use raw::lantern::projector::log::{Level, log};
pub use raw::lantern::projector::rows::get;
pub use raw::lantern::projector::types::{
    Batch, Cells, Column, ColumnType, Commands, Description, Envelope, EventFilter, Failure, Index,
    IndexColumn, IndexKind, StrictOrder, Table,
};

/// Makes an example a component.
///
/// ```ignore
/// misbehave!(at_poison: |event, rows| ..);   // does this and then goes on
/// misbehave!(refuses: |event| ..);           // returns this failure instead
/// misbehave!(describes: |usual| ..);         // says this of itself
/// misbehave!(describes: |usual| .., projects: |batch| ..);
/// ```
#[macro_export]
macro_rules! misbehave {
    (at_poison: |$event:pat_param, $rows:pat_param| $does:expr) => {
        $crate::misbehave!(describes: |usual| usual, at_poison: |$event, $rows| $does);
    };
    (describes: |$usual:pat_param| $description:expr, at_poison: |$event:pat_param, $rows:pat_param| $does:expr) => {
        $crate::misbehave!(describes: |$usual| $description, projects: |batch| {
            #[allow(unreachable_code)]
            fn at_poison($event: u32, $rows: &mut $crate::Commands) -> Result<(), $crate::Failure> {
                $does;
                Ok(())
            }
            $crate::project(&batch, at_poison)
        });
    };
    (refuses: |$event:pat_param| $failure:expr) => {
        $crate::misbehave!(describes: |usual| usual, projects: |batch| {
            $crate::project(&batch, |$event, _| Err($failure))
        });
    };
    (describes: |$usual:pat_param| $description:expr) => {
        $crate::misbehave!(describes: |$usual| $description, projects: |batch| {
            $crate::project(&batch, |event, rows| {
                $crate::Add::note(rows, event, -1);
                Ok(())
            })
        });
    };
    (describes: |$usual:pat_param| $description:expr, projects: |$batch:pat_param| $answer:expr) => {
        struct Component;

        impl $crate::Guest for Component {
            #[allow(unused_mut, unreachable_code)]
            fn describe() -> $crate::Description {
                let $usual = $crate::described(env!("CARGO_CRATE_NAME"));
                $description
            }

            fn project($batch: $crate::Batch) -> Result<$crate::Commands, $crate::Failure> {
                $answer
            }
        }

        $crate::raw::export_projector!(Component with_types_in $crate::raw);
    };
}

/// The columns of a sound guest's table, by their places.
pub mod column {
    pub const POSITION: u16 = 0;
    pub const NOTE: u16 = 1;
    pub const AMOUNT: u16 = 2;
    pub const SHARE: u16 = 3;
    pub const PRICE: u16 = 4;
    pub const MOMENT: u16 = 5;
    pub const REFERENCE: u16 = 6;
    pub const DOCUMENT: u16 = 7;
}

/// What a sound guest says of itself.
pub fn described(name: &str) -> Description {
    let column = |name: &str, type_, nullable| Column {
        name: name.into(),
        type_,
        nullable,
    };
    Description {
        name: name.into(),
        version: "1.0.0".into(),
        wants: EventFilter {
            types: vec!["probe.*".into()],
            streams: vec![],
            tenants: vec![],
        },
        needs: Envelope {
            ids: false,
            streams: false,
            metadata: false,
        },
        tables: vec![Table {
            name: name.into(),
            columns: vec![
                column("position", ColumnType::Integer, false),
                column("note", ColumnType::Text, false),
                column("amount", ColumnType::Integer, true),
                column("share", ColumnType::Float, true),
                column("price", ColumnType::Decimal, true),
                column("moment", ColumnType::Timestamp, true),
                column("reference", ColumnType::Uuid, true),
                column("document", ColumnType::Json, true),
            ],
            key: vec!["position".into()],
            indexes: vec![],
            tenant_keyed: false,
            stream_keyed: false,
            guarded: false,
        }],
        order: None,
        lookups: vec![],
    }
}

/// Notes every event, and does something else at the poison.
pub fn project(
    batch: &Batch,
    at_poison: fn(u32, &mut Commands) -> Result<(), Failure>,
) -> Result<Commands, Failure> {
    let mut rows = no_commands();
    for (event, &position) in (0..).zip(&batch.positions) {
        if is_poison(batch, event) {
            at_poison(event, &mut rows)?;
        } else {
            rows.note(event, position as i64);
        }
    }
    Ok(rows)
}

/// Whether an event of a batch is the poison.
pub fn is_poison(batch: &Batch, event: u32) -> bool {
    batch.type_names[batch.types[event as usize] as usize] == "probe.poison"
}

/// One value on its way to the host.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Null,
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

/// What a command does.
#[derive(Clone, Copy)]
pub enum Op {
    Upsert = 0,
    Patch = 1,
    Increment = 2,
    Delete = 3,
}

/// Lets a block of commands grow by sound ones.
pub trait Add {
    /// Adds a command on table 0.
    fn add(&mut self, op: Op, event: u32, key: &[Value<'_>], set: &[(u16, Value<'_>)]);

    /// Adds an upsert that only notes the event.
    fn note(&mut self, event: u32, position: i64) {
        let set = [(column::NOTE, Value::Text("seen"))];
        self.add(Op::Upsert, event, &[Value::Integer(position)], &set);
    }

    /// Adds an upsert that notes an event and sets one column more.
    fn note_with(&mut self, event: u32, column: u16, value: Value<'_>) {
        let set = [(column::NOTE, Value::Text("seen")), (column, value)];
        self.add(Op::Upsert, event, &[Value::Integer(-1)], &set);
    }
}

impl Add for Commands {
    fn add(&mut self, op: Op, event: u32, key: &[Value<'_>], set: &[(u16, Value<'_>)]) {
        self.ops.push(op as u8);
        self.tables.push(0);
        self.events.push(event);
        self.widths.push(set.len() as u16);
        key.iter().for_each(|&value| self.cells.put(value));
        for &(column, value) in set {
            self.columns.push(column);
            self.cells.put(value);
        }
    }
}

/// Lets a sequence of values grow.
pub trait Put {
    /// Adds a value.
    fn put(&mut self, value: Value<'_>);
}

impl Put for Cells {
    fn put(&mut self, value: Value<'_>) {
        let tag = match value {
            Value::Null => 0,
            Value::Integer(i) => {
                self.integers.push(i);
                3
            }
            Value::Float(f) => {
                self.floats.push(f);
                4
            }
            Value::Text(t) => {
                self.texts.push_str(t);
                self.text_ends.push(self.texts.len() as u32);
                5
            }
        };
        self.tags.push(tag);
    }
}

/// No commands.
pub fn no_commands() -> Commands {
    Commands {
        ops: vec![],
        tables: vec![],
        events: vec![],
        guards: vec![],
        widths: vec![],
        columns: vec![],
        cells: no_cells(),
    }
}

/// No values.
pub fn no_cells() -> Cells {
    Cells {
        tags: vec![],
        integers: vec![],
        floats: vec![],
        texts: String::new(),
        text_ends: vec![],
        bytes: vec![],
        byte_ends: vec![],
    }
}

/// Keys that are whole numbers.
pub fn integer_keys(keys: impl IntoIterator<Item = i64>) -> Cells {
    let mut cells = no_cells();
    keys.into_iter()
        .for_each(|key| cells.put(Value::Integer(key)));
    cells
}

//! The words of Lantern: events, positions, values, tables, commands, rows,
//! projectors and generations. No I/O, no SQL, no WebAssembly.

mod batch;
mod cells;
mod command;
mod dead_letter;
mod event;
mod filter;
mod gap;
mod generation;
mod indexes;
mod keys;
mod lookup;
mod member;
mod name;
mod order;
mod position;
mod projector;
mod row;
mod scope;
mod table;
mod time;
mod value;

pub use batch::EventBatch;
pub use cells::{Cell, CellReader, Cells, MalformedCells};
pub use command::{Command, CommandReader, Commands, MalformedCommands, Operation};
pub use dead_letter::{
    DeadLetter, DeadLetterChanges, DeadLetterChoice, DeadLetterError, DeadLetterRequest,
};
pub use event::{Event, Payload};
pub use filter::{Envelope, EventFilter, Pattern};
pub use gap::PassedGap;
pub use generation::{
    Digest, Epoch, Failure, FailureClass, Generation, GenerationId, GenerationState,
    ProjectorRecord, WantedState,
};
pub use lookup::{KeySource, Lookup, RawLookup};
pub use member::{InvalidPath, MemberPath, Members, Scalar};
pub use name::{InvalidName, check_name, is_reserved};
pub use order::{OrderKey, StrictOrder, WaitingChanges, WaitingCount, WaitingEvent};
pub use position::{Checkpoint, Position};
pub use projector::{Description, InvalidDescription, ProjectorName, RawDescription, RawTable};
pub use row::{Changes, Row, TableChanges};
pub use scope::{Fill, Part, Scope};
pub use table::{Column, Index, IndexColumn, IndexKind, RANK_COLUMN, Table, WORDS_COLUMN};
pub use time::{Timestamp, TimestampError};
pub use value::{ColumnType, Value, ValueError};

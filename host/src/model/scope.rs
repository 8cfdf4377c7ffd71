//! Which events a generation is built from.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::position::Position;
use super::table::Table;

/// Which events a generation is built from, before it is handed to readers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All there are: it catches up with the log.
    #[default]
    All,
    /// Those up to a position: a rewind. Readers get the rows as of then.
    UpTo(Position),
    /// Those of one part. Its rows replace those of this part among the live
    /// ones; it never becomes live itself.
    Part(Part),
}

impl Scope {
    /// The part, if it is one.
    pub fn part(&self) -> Option<&Part> {
        match self {
            Scope::Part(part) => Some(part),
            Scope::All | Scope::UpTo(_) => None,
        }
    }

    /// The position of a rewind.
    pub fn rewinds_to(&self) -> Option<Position> {
        match self {
            Scope::UpTo(position) => Some(*position),
            Scope::All | Scope::Part(_) => None,
        }
    }
}

/// What can be rebuilt by itself, where all tables are keyed by it: a tenant, a
/// stream, or one tenant's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The tenant; `None` for every tenant, `""` for events without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The stream; `None` for every stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

impl Part {
    /// Whether an event belongs to it.
    pub fn has(&self, tenant: &str, stream: &str) -> bool {
        let is = |wanted: &Option<String>, found| wanted.as_deref().is_none_or(|it| it == found);
        is(&self.tenant, tenant) && is(&self.stream, stream)
    }

    /// The columns that the host has put into a table for what this part names,
    /// as places in the table, and what they hold in this part's rows.
    pub fn columns(&self, table: &Table) -> Vec<(usize, &str)> {
        let named = [
            (table.tenant_column(), self.tenant.as_deref()),
            (table.stream_column(), self.stream.as_deref()),
        ];
        let named = named.into_iter();
        named
            .filter_map(|(column, value)| Some((column?, value?)))
            .collect()
    }

    /// What a table is not keyed by, though this part names it: in such a table
    /// nobody can tell which rows are the part's. `None` when all is well.
    pub fn is_not_keyed_in(&self, table: &Table) -> Option<&'static str> {
        if self.tenant.is_some() && !table.tenant_keyed {
            return Some("tenant");
        }
        (self.stream.is_some() && !table.stream_keyed).then_some("stream")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.tenant, &self.stream) {
            (Some(tenant), None) => write!(f, "tenant `{tenant}`"),
            (None, Some(stream)) => write!(f, "stream `{stream}`"),
            (Some(tenant), Some(stream)) => write!(f, "stream `{stream}` of tenant `{tenant}`"),
            (None, None) => f.write_str("everything"),
        }
    }
}

/// How a generation was filled, as far as it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// Events that the projector was given.
    pub events: u64,
    /// How long that took, in microseconds.
    pub micros: u64,
}

impl Fill {
    /// Events per second; `None` when nothing was measured.
    pub fn events_per_second(&self) -> Option<f64> {
        let measured = self.events > 0 && self.micros > 0;
        measured.then(|| self.events as f64 * 1e6 / self.micros as f64)
    }
}

//! What a table of events is like, as the user says it.

use std::time::Duration;

/// Which table holds the events, and which of its columns is what. Made by
/// [`TableMapping::custom`] or [`TableMapping::preset`], then changed field by
/// field. An empty text means the same as none.
///
/// Columns may be SQL expressions over the table; the position should be a
/// plain column with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMapping {
    /// What the mapping is called in messages: the preset, or `custom`.
    pub name: &'static str,
    /// The table, as `schema.table`, or whatever may follow FROM, such as a join.
    pub table: Option<String>,
    /// The position in the whole log: a whole number from 1, never given twice.
    pub position: Option<String>,
    /// The stream: text, UUID or a whole number. None: all events are of one.
    pub stream: Option<String>,
    /// The version in the stream. None: the position stands for it, and no
    /// stream is checked for holes.
    pub version: Option<String>,
    /// The event's type.
    pub event_type: Option<String>,
    /// The event's id. None: the position is the id.
    pub id: Option<String>,
    /// The tenant; `''` is none.
    pub tenant: Option<String>,
    /// When it happened: `timestamptz`, `timestamp` (taken as UTC) or RFC 3339
    /// text. None: 1970.
    pub time: Option<String>,
    /// The payload: `json`, `jsonb`, text or `bytea`.
    pub data: Option<String>,
    /// The metadata, of the same types.
    pub metadata: Option<String>,
    /// Without `metadata`: columns that are put into a JSON object under their
    /// names, where the table has them.
    pub metadata_columns: &'static [&'static str],
    /// A condition that events must meet; others are left out.
    pub filter: Option<String>,
    /// The sequence that gives out positions, or `none` when something else
    /// does. None: it is looked for.
    pub sequence: Option<String>,
    /// Names under which the tool keeps its sequence in the table's schema, for
    /// one that the column does not lead to.
    pub likely_sequences: &'static [&'static str],
    /// The version of a stream's first event, 0 or 1 as a rule.
    pub first_version: u64,
    /// What to do about missing positions.
    pub gaps: GapRule,
    /// How old a gap must be besides, for writers that take a number in one
    /// transaction and use it in a later one.
    pub grace: Duration,
    /// A channel on which writers notify. Only a hint.
    pub channel: Option<String>,
}

/// What to do about missing positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapRule {
    /// A gap holds readers until nobody can fill it any more.
    Prove,
    /// Readers go on; events of late commits are missed.
    Ignore,
}

impl TableMapping {
    /// A mapping that says nothing yet: table, position, type and data must be
    /// set.
    pub fn custom() -> Self {
        Self {
            name: "custom",
            table: None,
            position: None,
            stream: None,
            version: None,
            event_type: None,
            id: None,
            tenant: None,
            time: None,
            data: None,
            metadata: None,
            metadata_columns: &[],
            filter: None,
            sequence: None,
            likely_sequences: &[],
            first_version: 1,
            gaps: GapRule::Prove,
            grace: Duration::ZERO,
            channel: None,
        }
    }

    /// The mapping for a known tool. `None` when there is no such preset.
    pub fn preset(name: &str) -> Option<Self> {
        super::presets::find(name)
    }

    /// The names of all presets, and `custom`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        super::presets::ALL
            .iter()
            .map(|make| make().name)
            .chain(["custom"])
    }
}

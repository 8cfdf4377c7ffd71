//! Strict order: the events of an entity reach its projector one version after
//! another.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::member::{InvalidPath, MemberPath};
use super::position::Position;
use super::projector::{InvalidDescription, shown};
use super::table::{Column, Table};
use super::value::ColumnType;

/// The order a projector asks for: by which entity, and by which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrictOrder {
    /// What names the entity of an event.
    pub entity: OrderKey,
    /// What holds the entity's version, counted from 1.
    pub version: OrderKey,
}

impl StrictOrder {
    /// Checks what a projector said of entity and version.
    ///
    /// # Errors
    ///
    /// When either is neither `stream` nor a path.
    pub fn check((entity, version): (String, String)) -> Result<Self, InvalidDescription> {
        let key = |what, given: String| {
            OrderKey::parse(&given).map_err(|_| InvalidDescription::Order {
                what,
                given: shown(&given),
            })
        };
        Ok(Self {
            entity: key("entity", entity)?,
            version: key("version", version)?,
        })
    }
}

/// What an event's entity, or its version, is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OrderKey {
    /// The event's stream; for a version, the event's own in that stream.
    Stream,
    /// A member of the event's JSON.
    Member(MemberPath),
}

/// The word for [`OrderKey::Stream`].
const STREAM: &str = "stream";

impl OrderKey {
    /// Reads `stream` or a path such as `$.order_id`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        match text {
            STREAM => Ok(OrderKey::Stream),
            path => MemberPath::parse(path).map(OrderKey::Member),
        }
    }

    /// The path, if it is a member.
    pub fn path(&self) -> Option<&MemberPath> {
        match self {
            OrderKey::Stream => None,
            OrderKey::Member(path) => Some(path),
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OrderKey::Stream => f.write_str(STREAM),
            OrderKey::Member(path) => path.fmt(f),
        }
    }
}

impl TryFrom<String> for OrderKey {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::parse(&text)
    }
}

impl From<OrderKey> for String {
    fn from(key: OrderKey) -> Self {
        key.to_string()
    }
}

/// The table in which the host keeps the version that each entity has come to.
/// It belongs to the generation like the projector's own, whose names cannot
/// begin like this one's; readers have no view of it, and commands cannot name it.
pub(super) fn versions_table() -> Table {
    let column = |name: &str, column_type| Column {
        name: name.into(),
        column_type,
        nullable: false,
    };
    Table {
        name: "lantern_versions".into(),
        columns: vec![
            column("tenant", ColumnType::Text),
            column("entity", ColumnType::Text),
            column("version", ColumnType::Integer),
        ],
        key: vec![0, 1],
        indexes: Vec::new(),
        tenant_keyed: false,
        stream_keyed: false,
        guarded: false,
    }
}

/// An event that the checkpoint has gone past and that waits for an earlier
/// version of its entity. Its payload stays in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingEvent {
    /// The event.
    pub position: Position,
    /// Its tenant; empty is no tenant.
    pub tenant: String,
    /// Its entity.
    pub entity: String,
    /// The version it brings the entity to.
    pub version: u64,
    /// Its stream.
    pub stream: String,
    /// Whether it is never to be projected: when its turn comes it only counts as
    /// having been there.
    pub given_up: bool,
    /// Whether it is to follow although something is missing before it, or as nothing
    /// is any more.
    #[serde(skip)]
    pub released: bool,
}

/// What one commit does to the events of a generation that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingChanges {
    /// Those that wait from now on.
    pub puts: Vec<WaitingEvent>,
    /// Those that no longer do. An event is never in both.
    pub removes: Vec<Position>,
}

impl WaitingChanges {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.removes.is_empty()
    }
}

/// How many events of a generation wait for an earlier version of their entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingCount {
    /// How many.
    pub events: u64,
    /// The first of them in the log; `None` when there is none.
    pub oldest: Option<Position>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Description, RawDescription, RawTable};

    fn ordered(entity: &str, version: &str) -> Result<Description, InvalidDescription> {
        let raw = RawDescription {
            name: "p".into(),
            version: "1.0.0".into(),
            tables: vec![RawTable {
                name: "t".into(),
                columns: vec![("id".into(), ColumnType::Text, false)],
                key: vec!["id".into()],
                ..RawTable::default()
            }],
            order: Some((entity.into(), version.into())),
            ..RawDescription::default()
        };
        raw.check()
    }

    #[test]
    fn the_host_keeps_versions_for_those_who_ask_for_order() {
        let checked = ordered("stream", "$.order.version").unwrap();
        let names: Vec<_> = checked
            .stored_tables()
            .into_iter()
            .map(|t| t.name)
            .collect();
        assert_eq!(names, ["t", "lantern_versions"]);
        let json = serde_json::to_string(&checked).unwrap();
        assert_eq!(serde_json::from_str::<Description>(&json).unwrap(), checked);
        let plain = Description {
            order: None,
            ..checked
        };
        assert!(plain.host_tables().is_empty());
        assert!(!serde_json::to_string(&plain).unwrap().contains("order"));
    }

    #[test]
    fn an_order_by_what_is_no_member_is_refused() {
        let refused = |entity, version| ordered(entity, version).unwrap_err().to_string();
        assert!(refused("id", "$.v").contains("the entity of its strict order, \"id\""));
        assert!(refused("$.id", "version").contains("the version of its strict order"));
    }
}

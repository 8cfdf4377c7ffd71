//! What a projector says of itself, as said and as checked.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::{Envelope, EventFilter, Pattern};
use super::indexes::{check_indexes, check_readers_columns};
use super::keys::check_key;
use super::lookup::{KeySource, Lookup, RawLookup, check_lookup};
use super::name::{InvalidName, check_name};
use super::order::{StrictOrder, versions_table};
use super::table::{Column, IndexKind, Table};
use super::value::ColumnType;

/// The checked name of a projector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectorName(String);

impl ProjectorName {
    /// Checks a name: see [`check_name`].
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        check_name("projector", name)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a projector says of itself, checked: its names are sound, its keys and
/// indexes refer to columns there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its name.
    pub name: ProjectorName,
    /// Its version.
    pub version: semver::Version,
    /// The events it wants.
    pub wants: EventFilter,
    /// The parts of an event it needs.
    pub needs: Envelope,
    /// The tables it owns.
    pub tables: Vec<Table>,
    /// The order in which its events must come, if that of the log will not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<StrictOrder>,
    /// The rows that its events will need.
    #[serde(default)]
    pub lookups: Vec<Lookup>,
}

impl Description {
    /// Whether a lookup needs the events' streams, though the projector itself
    /// may not.
    pub fn looks_up_by_stream(&self) -> bool {
        let mut sources = self.lookups.iter().flat_map(|lookup| &lookup.key);
        sources.any(|source| *source == KeySource::Stream)
    }

    /// Whether any table is keyed by tenant, so that a batch may hold the
    /// events of one tenant only.
    pub fn is_tenant_keyed(&self) -> bool {
        self.tables.iter().any(|table| table.tenant_keyed)
    }

    /// The tables that the host keeps beside the projector's own, for itself.
    pub fn host_tables(&self) -> Vec<Table> {
        self.order.iter().map(|_| versions_table()).collect()
    }

    /// All tables of a generation: the projector's own, then the host's.
    pub fn stored_tables(&self) -> Vec<Table> {
        let mut tables = self.tables.clone();
        tables.extend(self.host_tables());
        tables
    }

    /// Whether any table is keyed by stream, so that a batch may hold the events
    /// of one stream only.
    pub fn is_stream_keyed(&self) -> bool {
        self.tables.iter().any(|table| table.stream_keyed)
    }
}

/// What a projector says of itself, as said.
#[derive(Debug, Clone, Default)]
pub struct RawDescription {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Wanted types, streams and tenants.
    pub wants: [Vec<String>; 3],
    /// The parts of an event it needs.
    pub needs: Envelope,
    /// The tables it owns.
    pub tables: Vec<RawTable>,
    /// What entity and version are read from, for strict order.
    pub order: Option<(String, String)>,
    /// The rows that its events will need.
    pub lookups: Vec<RawLookup>,
}

/// A table as a projector describes it.
#[derive(Debug, Clone, Default)]
pub struct RawTable {
    /// Its name.
    pub name: String,
    /// Name, type and nullability of each column.
    pub columns: Vec<(String, ColumnType, bool)>,
    /// The names of the key's columns.
    pub key: Vec<String>,
    /// For each index its kind, and column, JSON path and direction (`true` is
    /// descending) of each part.
    #[allow(clippy::type_complexity, reason = "lives for one conversion only")]
    pub indexes: Vec<(IndexKind, Vec<(String, Option<String>, bool)>)>,
    /// Whether the host adds the tenant to the key.
    pub tenant_keyed: bool,
    /// Whether the host adds the stream to the key.
    pub stream_keyed: bool,
    /// Whether rows carry an entity version.
    pub guarded: bool,
}

/// What a projector says of itself is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDescription {
    /// A name cannot be used.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The version is not semantic, or longer than any is.
    #[error("version `{0}` is not a semantic version such as 1.0.0")]
    Version(String),
    /// It owns no table.
    #[error("it declares no table")]
    NoTable,
    /// There is too much of something.
    #[error("it declares {count} {what}; the most allowed is {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// A table is declared twice.
    #[error("table `{0}` is declared twice")]
    DuplicateTable(String),
    /// Something is wrong with one table.
    #[error("table `{table}`: {reason}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong.
        reason: String,
    },
    /// The order it asks for names no member.
    #[error(
        "the {what} of its strict order, {given:?}, is neither `stream` nor of the form $.member.member"
    )]
    Order {
        /// The entity or the version.
        what: &'static str,
        /// What it said.
        given: String,
    },
    /// A filter entry cannot be used.
    #[error(
        "filter entry `{0}` is empty, longer than 512 bytes, or has `*` elsewhere than at its end"
    )]
    Filter(String),
}

const MOST_TABLES: usize = 64;
const MOST_COLUMNS: usize = 256;
const MOST_INDEXES: usize = 32;
/// As many as PostgreSQL takes.
const MOST_INDEX_COLUMNS: usize = 32;
/// It is shown wherever its projector is, and build metadata may be of any length.
const MOST_VERSION_BYTES: usize = 64;
/// One for each table is what is usual.
const MOST_LOOKUPS: usize = 64;
const MOST_FILTER_ENTRIES: usize = 1_000;

/// The column that the host adds to tenant-keyed tables.
const TENANT_COLUMN: &str = "tenant";

/// The column that the host adds to stream-keyed tables.
const STREAM_COLUMN: &str = "stream";

impl RawDescription {
    /// Checks everything a projector says of itself before any of it is used.
    pub fn check(self) -> Result<Description, InvalidDescription> {
        let name = ProjectorName::new(&self.name)?;
        let version = semver::Version::parse(&self.version)
            .ok()
            .filter(|_| self.version.len() <= MOST_VERSION_BYTES)
            .ok_or_else(|| InvalidDescription::Version(shown(&self.version)))?;
        if self.tables.is_empty() {
            return Err(InvalidDescription::NoTable);
        }
        at_most("tables", self.tables.len(), MOST_TABLES)?;
        let mut tables = Vec::new();
        let mut names = HashSet::new();
        for raw in self.tables {
            let table = raw.check()?;
            for name in table.readers_names() {
                if !names.insert(name.clone()) {
                    return Err(InvalidDescription::DuplicateTable(name));
                }
            }
            tables.push(table);
        }
        let order = self.order.map(StrictOrder::check).transpose()?;
        let lookups = check_lookups(self.lookups, &tables)?;
        let [types, streams, tenants] = self.wants;
        Ok(Description {
            name,
            version,
            wants: EventFilter {
                types: check_patterns(types)?,
                streams: check_patterns(streams)?,
                tenants: check_patterns(tenants)?,
            },
            needs: self.needs,
            tables,
            order,
            lookups,
        })
    }
}

fn check_lookups(raw: Vec<RawLookup>, tables: &[Table]) -> Result<Vec<Lookup>, InvalidDescription> {
    at_most("lookups", raw.len(), MOST_LOOKUPS)?;
    let check = |(table, types, key): RawLookup| {
        let types = check_patterns(types)?;
        check_lookup(&table, types, &key, tables).map_err(|reason| InvalidDescription::Table {
            table: shown(&table),
            reason,
        })
    };
    raw.into_iter().map(check).collect()
}

impl RawTable {
    fn check(self) -> Result<Table, InvalidDescription> {
        check_name("table", &self.name)?;
        at_most("columns", self.columns.len(), MOST_COLUMNS)?;
        at_most("indexes", self.indexes.len(), MOST_INDEXES)?;
        for (_, parts) in &self.indexes {
            // The tenant stands before them.
            let most = MOST_INDEX_COLUMNS - usize::from(self.tenant_keyed);
            at_most("columns in one index", parts.len(), most)?;
        }
        let columns = self.check_columns()?;
        let key = check_key(&self.key, &columns, self.host_columns().count());
        let key = key.map_err(|reason| self.refuse(reason))?;
        let indexes = check_indexes(&self.indexes, &columns, self.tenant_keyed.then_some(0));
        let indexes = indexes.map_err(|reason| self.refuse(reason))?;
        check_readers_columns(&indexes, &columns).map_err(|reason| self.refuse(reason))?;
        Ok(Table {
            name: self.name,
            columns,
            key,
            indexes,
            tenant_keyed: self.tenant_keyed,
            stream_keyed: self.stream_keyed,
            guarded: self.guarded,
        })
    }

    /// The names of the host's own columns.
    fn host_columns(&self) -> impl Iterator<Item = &'static str> {
        let tenant = self.tenant_keyed.then_some(TENANT_COLUMN);
        let stream = self.stream_keyed.then_some(STREAM_COLUMN);
        tenant.into_iter().chain(stream)
    }

    /// The columns, the host's own first.
    fn check_columns(&self) -> Result<Vec<Column>, InvalidDescription> {
        let mut columns: Vec<Column> = self
            .host_columns()
            .map(|name| Column {
                name: name.into(),
                column_type: ColumnType::Text,
                nullable: false,
            })
            .collect();
        for (name, column_type, nullable) in &self.columns {
            check_name("column", name).map_err(|e| self.refuse(e.to_string()))?;
            if columns.iter().any(|c: &Column| &c.name == name) {
                let host = match self.host_columns().find(|host| host == name) {
                    Some(host) => format!(" (the host adds it to a {host}-keyed table)"),
                    None => String::new(),
                };
                return Err(self.refuse(format!("column `{name}` is declared twice{host}")));
            }
            columns.push(Column {
                name: name.clone(),
                column_type: *column_type,
                nullable: *nullable,
            });
        }
        Ok(columns)
    }

    fn refuse(&self, reason: String) -> InvalidDescription {
        InvalidDescription::Table {
            table: self.name.clone(),
            reason,
        }
    }
}

fn check_patterns(list: Vec<String>) -> Result<Vec<Pattern>, InvalidDescription> {
    at_most("filter entries", list.len(), MOST_FILTER_ENTRIES)?;
    list.into_iter()
        .map(|entry| {
            let star_inside = entry.strip_suffix('*').unwrap_or(&entry).contains('*');
            if entry.is_empty() || entry.len() > 512 || star_inside {
                return Err(InvalidDescription::Filter(shown(&entry)));
            }
            Ok(Pattern(entry))
        })
        .collect()
}

/// The beginning of a text that may be long or hold control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .take(60)
        .flat_map(char::escape_default)
        .collect()
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), InvalidDescription> {
    if count > most {
        return Err(InvalidDescription::TooMany { what, count, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> RawDescription {
        RawDescription {
            name: "orders".into(),
            version: "1.0.0".into(),
            wants: [vec!["order.*".into()], vec![], vec![]],
            needs: Envelope::default(),
            order: None,
            lookups: vec![],
            tables: vec![RawTable {
                name: "order_summaries".into(),
                columns: vec![
                    ("order_id".into(), ColumnType::Text, false),
                    ("items".into(), ColumnType::Json, true),
                ],
                key: vec!["order_id".into()],
                indexes: vec![(
                    IndexKind::Ordered,
                    vec![("items".into(), Some("$.a.b".into()), true)],
                )],
                ..RawTable::default()
            }],
        }
    }

    fn refused(change: impl FnOnce(&mut RawDescription)) -> String {
        let mut raw = orders();
        change(&mut raw);
        raw.check().unwrap_err().to_string()
    }

    #[test]
    fn a_sound_description_is_accepted() {
        let checked = orders().check().unwrap();
        assert!(checked.wants.matches("order.created", "any", ""));
        assert!(!checked.wants.matches("invoice.created", "any", ""));
        assert_eq!(checked.tables[0].key, [0]);
    }

    #[test]
    fn the_host_puts_the_tenant_first_in_the_key() {
        let mut raw = orders();
        raw.tables[0].tenant_keyed = true;
        let table = raw.check().unwrap().tables.remove(0);
        assert_eq!(table.columns[0].name, "tenant");
        assert_eq!(table.key, [0, 1]);
    }

    #[test]
    fn an_unsound_description_is_refused_with_the_reason() {
        assert!(refused(|r| r.version = "one".into()).contains("not a semantic version"));
        assert!(refused(|r| r.tables.clear()).contains("no table"));
        assert!(refused(|r| r.tables.push(r.tables[0].clone())).contains("declared twice"));
        assert!(refused(|r| r.tables[0].key.clear()).contains("no primary key"));
        assert!(refused(|r| r.tables[0].key = vec!["nope".into()]).contains("not declared"));
        assert!(
            refused(|r| r.tables[0].key = vec!["items".into()]).contains("must not be nullable")
        );
        assert!(refused(|r| r.tables[0].name = "x\"; drop table y".into()).contains("lower-case"));
        assert!(
            refused(|r| r.tables[0].indexes[0].1[0].1 = Some("$.a'".into()))
                .contains("not of the form")
        );
        for path in [
            "$.a[b.].]",
            "$.a[]",
            "$.a[1",
            "$.a]",
            "$..a",
            "$.",
            "$.a[0]b",
        ] {
            let broken = refused(|r| r.tables[0].indexes[0].1[0].1 = Some(path.into()));
            assert!(broken.contains("not of the form"), "{path}: {broken}");
        }
        assert!(refused(|r| r.wants[0] = vec!["a*b".into()]).contains("filter entry"));
    }
}

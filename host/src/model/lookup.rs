//! Rows that events will need, as a projector declares them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::batch::EventBatch;
use super::cells::Cell;
use super::filter::Pattern;
use super::member::{InvalidPath, MemberPath};
use super::table::Table;
use super::value::Value;

/// Says by which keys events will need rows of a table. A hint: what is not
/// declared can be read as well, and what is declared need not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The table, as an index into the description's tables.
    pub table: usize,
    /// The types of these events; all when empty.
    pub types: Vec<Pattern>,
    /// Where the value of each declared key column stands, in key order. The
    /// host's tenant column is not among them.
    pub key: Vec<KeySource>,
}

/// Where in an event a part of a key stands. Written `stream`, or as a path such
/// as `$.customer_id`, of which one step may be each element of an array:
/// `$.lines[*].product_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeySource {
    /// The event's stream.
    Stream,
    /// A member of its payload.
    Member(MemberPath),
    /// Each element of an array of its payload.
    Each {
        /// Where the array stands.
        array: MemberPath,
        /// The member of the element; the element itself when there is none.
        member: Option<MemberPath>,
    },
}

/// How the stream is written among paths.
const STREAM: &str = "stream";

/// How each element of an array is written in a path.
const EACH: &str = "[*]";

impl KeySource {
    /// Reads a source as a projector writes it.
    ///
    /// # Errors
    ///
    /// When it is neither `stream` nor a path, or has two steps `[*]`.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        if text == STREAM {
            return Ok(Self::Stream);
        }
        let Some((array, member)) = text.split_once(EACH) else {
            return MemberPath::parse(text).map(Self::Member);
        };
        let member = match member {
            "" => None,
            member => Some(MemberPath::parse(&format!("${member}"))?),
        };
        Ok(Self::Each {
            array: MemberPath::parse(array)?,
            member,
        })
    }

    /// The array over whose elements it goes.
    pub fn array(&self) -> Option<&MemberPath> {
        match self {
            Self::Each { array, .. } => Some(array),
            Self::Stream | Self::Member(_) => None,
        }
    }
}

impl TryFrom<String> for KeySource {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::parse(&text)
    }
}

impl From<KeySource> for String {
    fn from(source: KeySource) -> Self {
        source.to_string()
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream => f.write_str(STREAM),
            Self::Member(path) => write!(f, "{path}"),
            Self::Each { array, member } => {
                let member = member.as_ref().map_or("", |m| m.as_str());
                write!(f, "{array}{EACH}{}", member.trim_start_matches('$'))
            }
        }
    }
}

impl Lookup {
    /// Calls `found` with each key that the event names, as values in key order,
    /// the tenant included. What is missing, null or of another type names none.
    pub fn keys(
        &self,
        table: &Table,
        events: &EventBatch,
        event: usize,
        payload: &Json,
        mut found: impl FnMut(Vec<Value>),
    ) {
        let array = self.key.iter().find_map(KeySource::array);
        let Some(array) = array else {
            let key = self.key_of(table, events, event, payload, None);
            return key.into_iter().for_each(found);
        };
        let elements = at(payload, array).and_then(Json::as_array);
        for element in elements.into_iter().flatten() {
            let key = self.key_of(table, events, event, payload, Some(element));
            key.into_iter().for_each(&mut found);
        }
    }

    fn key_of(
        &self,
        table: &Table,
        events: &EventBatch,
        event: usize,
        payload: &Json,
        element: Option<&Json>,
    ) -> Option<Vec<Value>> {
        let mut key = Vec::with_capacity(table.key.len());
        if table.tenant_keyed {
            key.push(Value::Text(events.tenant(event).into()));
        }
        if table.stream_keyed {
            key.push(Value::Text(events.stream(event).into()));
        }
        for (source, &column) in self.key.iter().zip(&table.key[table.host_columns()..]) {
            let stream;
            let value = match source {
                KeySource::Stream => {
                    stream = Json::from(events.stream(event));
                    &stream
                }
                KeySource::Member(path) => at(payload, path)?,
                KeySource::Each { member: None, .. } => element?,
                KeySource::Each {
                    member: Some(path), ..
                } => at(element?, path)?,
            };
            let checked = table.columns[column].column_type.check(cell(value)?);
            key.push(checked.ok().filter(|value| *value != Value::Null)?);
        }
        Some(key)
    }
}

fn at<'a>(json: &'a Json, path: &MemberPath) -> Option<&'a Json> {
    let steps = path
        .as_str()
        .trim_start_matches("$.")
        .split(['.', '[', ']']);
    steps
        .filter(|step| !step.is_empty())
        .try_fold(json, |json, step| match json {
            Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
            _ => json.get(step),
        })
}

fn cell(json: &Json) -> Option<Cell<'_>> {
    match json {
        Json::String(text) => Some(Cell::Text(text)),
        Json::Bool(value) => Some(Cell::Bool(*value)),
        Json::Number(number) => number
            .as_i64()
            .map(Cell::Integer)
            .or_else(|| number.as_f64().map(Cell::Float)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A lookup as a projector describes it: table, event types, key.
pub type RawLookup = (String, Vec<String>, Vec<String>);

/// Checks a lookup, but for its types, against the projector's tables; says what
/// is wrong.
pub(super) fn check_lookup(
    table: &str,
    types: Vec<Pattern>,
    key: &[String],
    tables: &[Table],
) -> Result<Lookup, String> {
    let at = tables.iter().position(|declared| declared.name == table);
    let at = at.ok_or("it is not declared, so that nothing can be looked up in it")?;
    let columns = tables[at].key.len() - tables[at].host_columns();
    if key.len() != columns {
        return Err(format!(
            "a lookup has {} sources for its {columns} key columns",
            key.len()
        ));
    }
    let key: Vec<KeySource> = key
        .iter()
        .map(|text| KeySource::parse(text))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("lookup {error}"))?;
    let mut arrays = key.iter().filter_map(KeySource::array);
    if let Some(first) = arrays.next()
        && let Some(other) = arrays.find(|other| *other != first)
    {
        return Err(format!(
            "a lookup goes over the elements of two arrays, {first} and {other}; one is allowed"
        ));
    }
    Ok(Lookup {
        table: at,
        types,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColumnType, Description, RawDescription, RawTable};

    fn raw(key: &[&str]) -> RawDescription {
        let table = |name: &str, columns: &[(&str, ColumnType)], tenant_keyed| RawTable {
            name: name.into(),
            columns: columns
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), *kind, false))
                .collect(),
            key: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            tenant_keyed,
            ..RawTable::default()
        };
        let of_items = [
            ("order_id", ColumnType::Text),
            ("line", ColumnType::Integer),
        ];
        RawDescription {
            name: "shop".into(),
            version: "1.0.0".into(),
            tables: vec![
                table("customers", &[("id", ColumnType::Text)], false),
                table("items", &of_items, true),
            ],
            lookups: vec![(
                "items".into(),
                vec!["order.*".into()],
                key.iter().map(|source| (*source).to_owned()).collect(),
            )],
            ..RawDescription::default()
        }
    }

    fn keys(key: &[&str], payload: &str) -> Vec<Vec<Value>> {
        let about: Description = raw(key).check().unwrap();
        let events = EventBatch {
            positions: vec![1],
            tenants: vec![0],
            tenant_names: vec!["acme".into()],
            streams: "order/7".into(),
            stream_ends: vec![7],
            ..EventBatch::default()
        };
        let payload = serde_json::from_str(payload).unwrap();
        let mut found = Vec::new();
        let lookup = &about.lookups[0];
        lookup.keys(&about.tables[1], &events, 0, &payload, |key| {
            found.push(key)
        });
        found
    }

    fn key(order: &str, line: i64) -> Vec<Value> {
        vec![
            Value::Text("acme".into()),
            Value::Text(order.into()),
            Value::Integer(line),
        ]
    }

    #[test]
    fn an_event_names_a_key_by_members_and_by_its_stream() {
        let payload = r#"{"order": {"id": "o1", "lines": [{"no": 3}, {"no": 4}]}}"#;
        assert_eq!(
            keys(&["$.order.id", "$.order.lines[1].no"], payload),
            [key("o1", 4)]
        );
        assert_eq!(
            keys(&["stream", "$.order.lines[0].no"], payload),
            [key("order/7", 3)]
        );
    }

    #[test]
    fn each_element_of_an_array_names_a_key() {
        let payload =
            r#"{"id": "o1", "lines": [{"no": 1}, {}, {"no": 2, "of": "o2"}], "n": [7, 8]}"#;
        assert_eq!(
            keys(&["$.id", "$.lines[*].no"], payload),
            [key("o1", 1), key("o1", 2)]
        );
        // Of one element together.
        assert_eq!(
            keys(&["$.lines[*].of", "$.lines[*].no"], payload),
            [key("o2", 2)]
        );
        assert_eq!(
            keys(&["$.id", "$.n[*]"], payload),
            [key("o1", 7), key("o1", 8)]
        );
    }

    #[test]
    fn what_is_missing_or_does_not_fit_names_no_key() {
        for payload in [
            "{}",
            "[1]",
            r#"{"id": null, "no": 1}"#,
            r#"{"id": "o1"}"#,
            r#"{"id": "o1", "no": "one"}"#,
            r#"{"id": "o1", "no": {"no": 1}}"#,
        ] {
            assert!(keys(&["$.id", "$.no"], payload).is_empty(), "{payload}");
        }
    }

    #[test]
    fn unsound_lookups_are_refused_with_the_reason() {
        let refused = |change: &dyn Fn(&mut RawDescription)| {
            let mut raw = raw(&["$.id", "$.no"]);
            change(&mut raw);
            raw.check().unwrap_err().to_string()
        };
        let said = refused(&|raw| raw.lookups[0].0 = "others".into());
        assert!(
            said.contains("`others`") && said.contains("not declared"),
            "{said}"
        );
        let said = refused(&|raw| drop(raw.lookups[0].2.pop()));
        assert!(said.contains("1 sources for its 2 key columns"), "{said}");
        for broken in ["streams", "$.a[*].b[*]", "$.a[*]b", "id", "$[*]"] {
            let said = refused(&|raw| raw.lookups[0].2[0] = broken.into());
            assert!(said.contains("not of the form"), "{said}");
        }
        let said = refused(&|raw| raw.lookups[0].2 = vec!["$.a[*].x".into(), "$.b[*].y".into()]);
        assert!(said.contains("two arrays, $.a and $.b"), "{said}");
        let said = refused(&|raw| raw.lookups[0].1 = vec!["a*b".into()]);
        assert!(said.contains("filter entry"), "{said}");
        let said = refused(&|raw| raw.lookups = vec![raw.lookups[0].clone(); 65]);
        assert!(said.contains("65 lookups"), "{said}");
    }

    #[test]
    fn sources_are_written_as_they_were_read() {
        for text in ["stream", "$.a.b", "$.a[0].b", "$.a.b[*]", "$.a[*].b.c"] {
            let read = KeySource::parse(text).unwrap();
            assert_eq!(read.to_string(), text);
        }
    }
}

//! Events as a test gives them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::timestamp::Timestamp;

/// An event that a test gives to a projector. What is left out is made up: each
/// event comes one second after the one before it, and versions count up in
/// each stream.
#[derive(Debug, Clone)]
pub struct GivenEvent {
    pub(super) event_type: String,
    pub(super) data: Data,
    pub(super) id: Option<String>,
    pub(super) stream: String,
    pub(super) tenant: String,
    pub(super) metadata: String,
    pub(super) time: Option<Timestamp>,
    pub(super) position: Option<u64>,
    pub(super) version: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) enum Data {
    Text(String),
    Binary(Vec<u8>),
}

/// An event of this type, with an empty JSON object as its payload, in a stream
/// called `stream`.
pub fn event(event_type: impl Into<String>) -> GivenEvent {
    GivenEvent {
        event_type: event_type.into(),
        data: Data::Text("{}".into()),
        id: None,
        stream: "stream".into(),
        tenant: String::new(),
        metadata: String::new(),
        time: None,
        position: None,
        version: None,
    }
}

impl GivenEvent {
    /// Sets the payload: what serde makes of `data`, as JSON.
    ///
    /// # Panics
    ///
    /// Panics when the data has no JSON form.
    #[track_caller]
    pub fn data(self, data: impl Serialize) -> Self {
        match serde_json::to_string(&data) {
            Ok(text) => self.raw(text),
            Err(error) => panic!(
                "the data of `{}` has no JSON form: {error}",
                self.event_type
            ),
        }
    }

    /// Sets the payload to this text, JSON or not.
    pub fn raw(mut self, text: impl Into<String>) -> Self {
        self.data = Data::Text(text.into());
        self
    }

    /// Sets the payload to bytes that are no text.
    pub fn binary(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.data = Data::Binary(bytes.into());
        self
    }

    /// Sets the id.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the stream.
    pub fn stream(mut self, stream: impl Into<String>) -> Self {
        self.stream = stream.into();
        self
    }

    /// Sets the tenant.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Sets the metadata, a JSON object.
    ///
    /// # Panics
    ///
    /// Panics when the metadata have no JSON form.
    #[track_caller]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        match serde_json::to_string(&metadata) {
            Ok(text) => self.metadata = text,
            Err(error) => panic!(
                "the metadata of `{}` have no JSON form: {error}",
                self.event_type
            ),
        }
        self
    }

    /// Sets when it happened, in RFC 3339.
    ///
    /// # Panics
    ///
    /// Panics when the text is not such a time.
    #[track_caller]
    pub fn time(mut self, time: &str) -> Self {
        match time.parse() {
            Ok(time) => self.time = Some(time),
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// Sets the global position.
    pub fn position(mut self, position: u64) -> Self {
        self.position = Some(position);
        self
    }

    /// Sets the version in its stream.
    pub fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }
}

/// Reads events from CloudEvents 1.0 in JSON, one a line: `subject` is the
/// stream, and the extensions `tenant` and `streamversion` are what they say.
///
/// # Panics
///
/// Panics on a line that is no such event, and names it.
#[track_caller]
pub fn events_from_json_lines(lines: &str) -> Vec<GivenEvent> {
    let numbered = (1..)
        .zip(lines.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    numbered
        .map(|(number, line)| {
            from_cloud_event(line).unwrap_or_else(|problem| panic!("line {number}: {problem}"))
        })
        .collect()
}

fn from_cloud_event(line: &str) -> Result<GivenEvent, String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("`{name}` is {other}, not a text")),
    };
    let event_type = text("type")?.ok_or("there is no `type`")?;
    let (id, stream, tenant) = (text("id")?, text("subject")?, text("tenant")?);
    let time = text("time")?.map(|time| time.parse().map_err(|e: crate::Error| e.to_string()));
    text("specversion")?;
    text("datacontenttype")?;
    let data = fields
        .remove("data")
        .map_or(String::new(), |data| data.to_string());
    let version = fields
        .remove("streamversion")
        .and_then(|version| version.as_u64());
    Ok(GivenEvent {
        data: Data::Text(data),
        id,
        stream: stream.unwrap_or_default(),
        tenant: tenant.unwrap_or_default(),
        metadata: Value::Object(fields).to_string(),
        time: time.transpose()?,
        version,
        ..event(event_type)
    })
}

//! Events → CloudEvents in JSON.

use serde_json::value::RawValue;

use super::base64;
use super::members::{Members, string};
use super::parse::is_json;
use crate::model::{Event, EventBatch, Payload, Timestamp};

/// The source of an event whose metadata does not tell it.
const UNKNOWN_SOURCE: &str = "unknown";

/// Appends an event to `json` as a CloudEvent, on one line.
pub fn write_event(event: &Event, json: &mut String) {
    let (data, binary) = match &event.data {
        Payload::Text(text) => (text.as_str(), &[][..]),
        Payload::Binary(bytes) => ("", bytes.as_slice()),
    };
    Outgoing {
        id: &event.id,
        source: Some(&event.source),
        event_type: &event.event_type,
        stream: &event.stream,
        tenant: &event.tenant,
        time: event.time,
        place: None,
        data,
        binary,
        metadata: event.metadata.as_deref().unwrap_or_default(),
    }
    .write(json);
}

/// Appends the `i`-th event of a batch to `json` as a CloudEvent, on one line,
/// with the extensions `streamversion` and `position`.
///
/// # Panics
///
/// When the batch was read without ids, streams or metadata, or has no such
/// event.
pub fn write_recorded(batch: &EventBatch, i: usize, json: &mut String) {
    let binary = match batch.binary_ends.is_empty() {
        true => &[],
        false => &batch.binary[span(&batch.binary_ends, i)],
    };
    Outgoing {
        id: &batch.ids[span(&batch.id_ends, i)],
        source: None,
        event_type: batch.event_type(i),
        stream: &batch.streams[span(&batch.stream_ends, i)],
        tenant: batch.tenant(i),
        time: batch.time(i),
        place: Some((batch.versions[i], batch.positions[i])),
        data: &batch.data[span(&batch.data_ends, i)],
        binary,
        metadata: &batch.metadata[span(&batch.metadata_ends, i)],
    }
    .write(json);
}

struct Outgoing<'a> {
    id: &'a str,
    /// `None` when only the metadata tells it.
    source: Option<&'a str>,
    event_type: &'a str,
    stream: &'a str,
    tenant: &'a str,
    time: Timestamp,
    /// Version in the stream, and position.
    place: Option<(u64, u64)>,
    data: &'a str,
    binary: &'a [u8],
    metadata: &'a str,
}

impl Outgoing<'_> {
    fn write(&self, json: &mut String) {
        // Metadata that is no JSON object came in by another door and has no
        // form in a CloudEvent.
        let Members(others) = serde_json::from_str(self.metadata).unwrap_or(Members(Vec::new()));
        let other = |name: &str| {
            let member = others.iter().find(|(other, _)| other == name);
            member.and_then(|(_, value)| string(value))
        };
        json.push_str(r#"{"specversion":"1.0""#);
        write_text("id", self.id, json);
        let source = self
            .source
            .map_or_else(|| other("source"), |source| Some(source.into()));
        write_text("source", source.as_deref().unwrap_or(UNKNOWN_SOURCE), json);
        write_text("type", self.event_type, json);
        write_text("subject", self.stream, json);
        write_text("time", &self.time.to_string(), json);
        if !self.tenant.is_empty() {
            write_text("tenant", self.tenant, json);
        }
        if let Some((version, position)) = self.place {
            write_raw("streamversion", &version.to_string(), json);
            write_raw("position", &position.to_string(), json);
        }
        for (name, value) in others.iter().filter(|(name, _)| !self.says(name)) {
            write_raw(name, value.get(), json);
        }
        self.write_payload(
            other("datacontenttype").as_deref().is_none_or(is_json),
            json,
        );
        json.push('}');
    }

    /// Whether a name is written from the event itself, so that it is not
    /// written again from the metadata.
    fn says(&self, name: &str) -> bool {
        match name {
            "specversion" | "id" | "source" | "type" | "subject" | "time" | "tenant" | "data"
            | "data_base64" => true,
            "streamversion" | "position" => self.place.is_some(),
            _ => false,
        }
    }

    fn write_payload(&self, is_json: bool, json: &mut String) {
        if !self.binary.is_empty() {
            write_name("data_base64", json);
            json.push('"');
            base64::encode(self.binary, json);
            json.push('"');
        } else if self.data.is_empty() {
            // An event without a body.
        } else if is_json && serde_json::from_str::<&RawValue>(self.data).is_ok() {
            write_raw("data", self.data, json);
        } else {
            write_text("data", self.data, json);
        }
    }
}

fn write_name(name: &str, json: &mut String) {
    json.push(',');
    json.push_str(&quoted(name));
    json.push(':');
}

fn write_text(name: &str, text: &str, json: &mut String) {
    write_name(name, json);
    json.push_str(&quoted(text));
}

/// Writes a value that is JSON already, on one line.
fn write_raw(name: &str, value: &str, json: &mut String) {
    write_name(name, json);
    // In valid JSON a line break is only ever space between tokens.
    json.extend(
        value
            .chars()
            .map(|c| if c == '\n' || c == '\r' { ' ' } else { c }),
    );
}

fn quoted(text: &str) -> String {
    // A text has no form that serde_json could refuse to write.
    serde_json::to_string(text).unwrap_or_default()
}

fn span(ends: &[u32], i: usize) -> std::ops::Range<usize> {
    let start = if i == 0 { 0 } else { ends[i - 1] as usize };
    start..ends[i] as usize
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// Reads an event, writes it and reads it again.
    fn there_and_back(more: &str) -> (Event, Event, String) {
        let required = r#""specversion":"1.0","id":"1","source":"/shop","type":"t","subject":"s","time":"2026-01-31T09:30:00Z""#;
        let first = parse(&format!("{{{required}{more}}}"), Timestamp(0)).unwrap();
        let mut json = String::new();
        write_event(&first, &mut json);
        (first, parse(&json, Timestamp(0)).unwrap(), json)
    }

    #[test]
    fn an_event_survives_the_way_there_and_back() {
        for more in [
            "",
            r#","tenant":"acme","sampled":true,"n":1,"streamversion":4,"data":{"a":[1.0,"é\n"]}"#,
            r#","datacontenttype":"text/plain","data":"two\nlines""#,
            r#","datacontenttype":"application/xml","data":{"not":"xml"}"#,
            r#","data":"a json string""#,
            r#","data":null"#,
            r#","data_base64":"AP8=""#,
        ] {
            let (first, second, json) = there_and_back(more);
            assert_eq!(first, second, "{json}");
        }
    }

    #[test]
    fn an_event_is_written_on_one_line() {
        let (_, second, json) = there_and_back(",\"data\":{\n\"a\":\r\n1}");
        assert!(!json.contains(['\n', '\r']));
        assert_eq!(second.data, Payload::Text("{ \"a\":  1}".into()));
    }

    #[test]
    fn a_recorded_event_says_its_place_once() {
        let batch = EventBatch {
            positions: vec![9],
            versions: vec![2],
            times: vec![0],
            types: vec![0],
            type_names: vec!["t".into()],
            tenants: vec![0],
            tenant_names: vec![String::new()],
            data_ends: vec![0],
            ids: "1".into(),
            id_ends: vec![1],
            streams: "s".into(),
            stream_ends: vec![1],
            metadata: r#"{"source":"/shop","streamversion":7,"position":7}"#.into(),
            metadata_ends: vec![49],
            ..EventBatch::default()
        };
        let mut json = String::new();
        write_recorded(&batch, 0, &mut json);
        assert_eq!(
            json,
            r#"{"specversion":"1.0","id":"1","source":"/shop","type":"t","subject":"s","time":"1970-01-01T00:00:00.000Z","streamversion":2,"position":9}"#
        );
    }
}

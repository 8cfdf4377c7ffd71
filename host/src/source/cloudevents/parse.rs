//! CloudEvents in JSON → events.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::base64;
use super::error::InvalidCloudEvent;
use super::members::{Members, string};
use crate::model::{Event, Payload, Timestamp};

/// Reads one CloudEvent in JSON. `received` is the time of an event that does
/// not say its own.
pub fn parse(json: &str, received: Timestamp) -> Result<Event, InvalidCloudEvent> {
    let Members(members) = serde_json::from_str(json).map_err(InvalidCloudEvent::NotAnObject)?;
    let mut attributes = Attributes::default();
    for (name, value) in &members {
        attributes.add(name, value)?;
    }
    attributes.into_event(received)
}

/// The attributes as far as they have been read.
#[derive(Default)]
struct Attributes<'a> {
    specversion: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<&'a RawValue>,
    event_type: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    tenant: Option<Cow<'a, str>>,
    datacontenttype: Option<Cow<'a, str>>,
    data: Option<&'a RawValue>,
    data_base64: Option<Cow<'a, str>>,
    /// What goes into the metadata besides the source.
    others: Vec<(&'a str, &'a RawValue)>,
}

impl<'a> Attributes<'a> {
    fn add(&mut self, name: &'a str, value: &'a RawValue) -> Result<(), InvalidCloudEvent> {
        // In the JSON format an attribute that is null is one that is not there.
        if value.get() == "null" && name != "data" {
            return Ok(());
        }
        match name {
            "specversion" => put(name, &mut self.specversion, text(name, value)?),
            "id" => put(name, &mut self.id, text(name, value)?),
            "source" => put(name, &mut self.source, value),
            "type" => put(name, &mut self.event_type, text(name, value)?),
            "subject" => put(name, &mut self.subject, text(name, value)?),
            "time" => put(name, &mut self.time, text(name, value)?),
            "tenant" => put(name, &mut self.tenant, text(name, value)?),
            "data" => put(name, &mut self.data, value),
            "data_base64" => put(name, &mut self.data_base64, text(name, value)?),
            "datacontenttype" => {
                let content_type = text(name, value)?;
                if content_type != "application/json" {
                    self.others.push((name, value));
                }
                put(name, &mut self.datacontenttype, content_type)
            }
            "dataschema" => {
                text(name, value)?;
                self.add_other(name, value)
            }
            _ => {
                check_extension(name, value)?;
                self.add_other(name, value)
            }
        }
    }

    fn add_other(&mut self, name: &'a str, value: &'a RawValue) -> Result<(), InvalidCloudEvent> {
        if self.others.iter().any(|(other, _)| *other == name) {
            return Err(InvalidCloudEvent::Twice(name.to_owned()));
        }
        self.others.push((name, value));
        Ok(())
    }

    fn into_event(self, received: Timestamp) -> Result<Event, InvalidCloudEvent> {
        let version = required("specversion", self.specversion)?;
        if version != "1.0" {
            return Err(InvalidCloudEvent::SpecVersion(shown(&version)));
        }
        let raw_source = self.source.ok_or(InvalidCloudEvent::Missing("source"))?;
        let source = required("source", Some(text("source", raw_source)?))?;
        let is_json = self.datacontenttype.as_deref().is_none_or(is_json);
        Ok(Event {
            id: required("id", self.id)?,
            source,
            event_type: required("type", self.event_type)?,
            stream: required("subject", self.subject).map_err(|_| InvalidCloudEvent::NoStream)?,
            tenant: self.tenant.unwrap_or_default().into_owned(),
            time: match self.time {
                Some(time) => Timestamp::parse(&time).map_err(InvalidCloudEvent::Time)?,
                None => received,
            },
            data: payload(self.data, self.data_base64.as_deref(), is_json)?,
            metadata: Some(metadata(raw_source, &self.others)),
        })
    }
}

/// Whether a payload of this media type is JSON.
pub(super) fn is_json(content_type: &str) -> bool {
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

fn put<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), InvalidCloudEvent> {
    match place.replace(value) {
        Some(_) => Err(InvalidCloudEvent::Twice(name.to_owned())),
        None => Ok(()),
    }
}

fn text<'a>(name: &str, value: &'a RawValue) -> Result<Cow<'a, str>, InvalidCloudEvent> {
    string(value).ok_or_else(|| InvalidCloudEvent::WrongType {
        attribute: name.to_owned(),
        expected: "a string",
    })
}

fn required(name: &'static str, value: Option<Cow<'_, str>>) -> Result<String, InvalidCloudEvent> {
    match value {
        Some(value) if !value.is_empty() => Ok(value.into_owned()),
        _ => Err(InvalidCloudEvent::Missing(name)),
    }
}

fn check_extension(name: &str, value: &RawValue) -> Result<(), InvalidCloudEvent> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(is_allowed) {
        return Err(InvalidCloudEvent::ExtensionName(shown(name)));
    }
    match value.get().starts_with(['{', '[']) {
        true => Err(InvalidCloudEvent::WrongType {
            attribute: shown(name),
            expected: "a string, a number or a boolean",
        }),
        false => Ok(()),
    }
}

fn payload(
    data: Option<&RawValue>,
    data_base64: Option<&str>,
    is_json: bool,
) -> Result<Payload, InvalidCloudEvent> {
    match (data, data_base64) {
        (Some(_), Some(_)) => Err(InvalidCloudEvent::TwoPayloads),
        (None, Some(encoded)) => base64::decode(encoded)
            .map(Payload::Binary)
            .map_err(InvalidCloudEvent::Base64),
        (None, None) => Ok(Payload::Text(String::new())),
        (Some(json), None) => Ok(Payload::Text(match string(json) {
            Some(text) if !is_json => text.into_owned(),
            _ => json.get().to_owned(),
        })),
    }
}

/// A JSON object of values that are copied as they came.
fn metadata(source: &RawValue, others: &[(&str, &RawValue)]) -> String {
    let mut object = format!("{{\"source\":{}", source.get());
    for (name, value) in others {
        // Names are letters and digits here, so nothing needs an escape.
        object.extend([",\"", name, "\":", value.get()]);
    }
    object.push('}');
    object
}

/// The beginning of a text from outside, for a message.
fn shown(text: &str) -> String {
    text.chars()
        .take(48)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CloudEvent with some members more than the required ones.
    fn with(more: &str) -> Result<Event, InvalidCloudEvent> {
        let required = r#""specversion":"1.0","id":"1","source":"/shop","type":"order.placed","subject":"order-1""#;
        parse(&format!("{{{required}{more}}}"), Timestamp(7))
    }

    #[test]
    fn every_attribute_has_its_place() {
        let event = with(
            r#","time":"1970-01-01T00:00:01Z","tenant":"acme","streamversion":3,
               "dataschema":"urn:a","traceparent":"00-1","sampled":true,"data":{"a": 1.0}"#,
        )
        .unwrap();
        assert_eq!((event.id.as_str(), event.source.as_str()), ("1", "/shop"));
        assert_eq!(
            (event.event_type.as_str(), event.stream.as_str()),
            ("order.placed", "order-1")
        );
        assert_eq!(
            (event.tenant.as_str(), event.time),
            ("acme", Timestamp(1_000_000))
        );
        assert_eq!(event.data, Payload::Text(r#"{"a": 1.0}"#.into()));
        assert_eq!(
            event.metadata.as_deref(),
            Some(
                r#"{"source":"/shop","streamversion":3,"dataschema":"urn:a","traceparent":"00-1","sampled":true}"#
            )
        );
    }

    #[test]
    fn what_may_be_missing_has_a_meaning() {
        let event = with(r#","time":null"#).unwrap();
        assert_eq!((event.time, event.tenant.as_str()), (Timestamp(7), ""));
        assert_eq!(event.data, Payload::Text(String::new()));
    }

    #[test]
    fn the_content_type_decides_what_a_string_is() {
        let data = |more| with(more).unwrap().data;
        let text = |t: &str| Payload::Text(t.into());
        assert_eq!(data(r#","data":"a\nb""#), text(r#""a\nb""#));
        assert_eq!(
            data(r#","datacontenttype":"text/plain","data":"a\nb""#),
            text("a\nb")
        );
        assert_eq!(
            data(r#","datacontenttype":"a/b+json; x=y","data":"a""#),
            text(r#""a""#)
        );
        assert_eq!(
            data(r#","data_base64":"AP8=""#),
            Payload::Binary(vec![0, 255])
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (more, part) in [
            (r#","Trace":"x""#, "attribute `Trace` is unknown"),
            (r#","trace":{}"#, "`trace` must be a string, a number"),
            (r#","trace":1,"trace":2"#, "`trace` occurs twice"),
            (r#","id":"2""#, "`id` occurs twice"),
            (r#","tenant":7"#, "`tenant` must be a string"),
            (r#","time":"noon""#, "`noon` is not an RFC 3339 time"),
            (r#","data":1,"data_base64":"""#, "both `data` and"),
            (r#","data_base64":"A""#, "not base64"),
            (r#","data":"#, "not a JSON object"),
        ] {
            let error = with(more).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let refused = |json| parse(json, Timestamp(0)).unwrap_err().to_string();
        assert!(refused("[]").contains("not a JSON object"));
        assert!(refused(r#"{"specversion":"0.3"}"#).contains("only 1.0"));
        assert!(
            refused(r#"{"specversion":"1.0","source":"s","id":""}"#)
                .contains("`id` is missing or empty")
        );
        let no_subject = r#"{"specversion":"1.0","source":"s","id":"1","type":"t"}"#;
        assert!(refused(no_subject).contains("`subject` is missing"));
    }
}

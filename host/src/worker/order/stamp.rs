//! What entity an event is about, and which version of it.

use std::borrow::Cow;

use crate::model::{EventBatch, Members, OrderKey, Scalar, StrictOrder};

/// The longest name of an entity, in bytes: every database keeps a key of it.
const MOST_ENTITY_BYTES: usize = 1_000;

/// An entity and the version of it that an event brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp<'a> {
    pub(super) entity: Cow<'a, str>,
    pub(super) version: u64,
}

/// Reads stamps.
pub(super) struct Stamps {
    order: StrictOrder,
    members: Members,
}

impl Stamps {
    pub(super) fn new(order: &StrictOrder) -> Self {
        let keys = [&order.entity, &order.version];
        Self {
            members: Members::new(keys.into_iter().filter_map(OrderKey::path)),
            order: order.clone(),
        }
    }

    /// The stamp of an event; `None` for one that names no entity or no version, and
    /// so is not subject to the order.
    ///
    /// # Errors
    ///
    /// When there is an entity or a version, but one that cannot be: to let the
    /// event through would break the order that was asked for.
    pub(super) fn of<'a>(
        &self,
        events: &'a EventBatch,
        i: usize,
    ) -> Result<Option<Stamp<'a>>, String> {
        let is_stream = |key: &OrderKey| key.path().is_none();
        let mut found = match is_stream(&self.order.entity) && is_stream(&self.order.version) {
            true => Vec::new(),
            // What is no JSON has no members.
            false => match self.members.read(events.text(i)) {
                Some(found) => found,
                None => return Ok(None),
            },
        }
        .into_iter();
        let entity = match &self.order.entity {
            OrderKey::Stream => Some(Cow::Borrowed(events.stream(i))),
            OrderKey::Member(path) => entity(found.next().flatten())
                .map_err(|given| wrong(path.as_str(), given, ENTITY))?,
        };
        let version = match &self.order.version {
            OrderKey::Stream => Some(events.versions[i]).filter(|version| *version > 0),
            OrderKey::Member(path) => version(found.next().flatten())
                .map_err(|given| wrong(path.as_str(), given, VERSION))?,
        };
        match (entity, version) {
            (Some(entity), Some(_)) if !is_sound(&entity) => {
                Err(wrong("the entity", shown(&entity), ENTITY))
            }
            (Some(entity), Some(version)) => Ok(Some(Stamp { entity, version })),
            _ => Ok(None),
        }
    }
}

const ENTITY: &str = "a text of 1 to 1,000 bytes without U+0000, or an integer";
const VERSION: &str = "an integer from 1 on";

fn wrong(what: &str, given: String, needed: &str) -> String {
    format!("{what} is {given}, where the projector's strict order needs {needed}")
}

fn is_sound(entity: &str) -> bool {
    (1..=MOST_ENTITY_BYTES).contains(&entity.len()) && !entity.contains('\0')
}

fn entity(found: Option<Scalar<'_>>) -> Result<Option<Cow<'_, str>>, String> {
    match found {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(Scalar::Integer(number)) => Ok(Some(number.to_string().into())),
        Some(Scalar::Bool(value)) => Err(value.to_string()),
        Some(Scalar::Float(value)) => Err(value.to_string()),
    }
}

fn version(found: Option<Scalar<'_>>) -> Result<Option<u64>, String> {
    match found {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Integer(version @ 1..)) => Ok(Some(version as u64)),
        Some(Scalar::Integer(number)) => Err(number.to_string()),
        Some(Scalar::Text(text)) => Err(shown(&text)),
        Some(Scalar::Bool(value)) => Err(value.to_string()),
        Some(Scalar::Float(value)) => Err(value.to_string()),
    }
}

fn shown(text: &str) -> String {
    format!("the text {:?}", text.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(entity: &str, version: &str, data: &str) -> Result<Option<(String, u64)>, String> {
        let order = StrictOrder {
            entity: OrderKey::parse(entity).unwrap(),
            version: OrderKey::parse(version).unwrap(),
        };
        let events = EventBatch {
            positions: vec![1],
            versions: vec![9],
            data: data.into(),
            data_ends: vec![data.len() as u32],
            streams: "orders-1".into(),
            stream_ends: vec![8],
            ..EventBatch::default()
        };
        let stamp = Stamps::new(&order).of(&events, 0)?;
        Ok(stamp.map(|it| (it.entity.into_owned(), it.version)))
    }

    #[test]
    fn entity_and_version_are_members_or_those_of_the_stream() {
        let found = |entity: &str, version| Ok(Some((entity.to_owned(), version)));
        let data = r#"{"o": {"id": "a", "n": 7}, "v": 3}"#;
        assert_eq!(stamp("$.o.id", "$.v", data), found("a", 3));
        assert_eq!(stamp("$.o.n", "$.v", data), found("7", 3));
        assert_eq!(stamp("stream", "$.v", data), found("orders-1", 3));
        assert_eq!(stamp("$.o.id", "stream", data), found("a", 9));
        assert_eq!(stamp("stream", "stream", "no JSON"), found("orders-1", 9));
    }

    #[test]
    fn an_event_without_either_is_not_subject_to_the_order() {
        for data in [
            r#"{"id": "a"}"#,
            r#"{"v": 1}"#,
            r#"{"id": null, "v": 1}"#,
            r#"{"id": "a", "v": null}"#,
            r#"{"id": {"x": 1}, "v": 1}"#,
            "",
            "no JSON",
        ] {
            assert_eq!(stamp("$.id", "$.v", data), Ok(None), "{data}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error_and_not_let_through() {
        let long = format!(r#"{{"id": "{}", "v": 1}}"#, "x".repeat(1_001));
        for (data, about) in [
            (r#"{"id": "a", "v": 0}"#, "$.v is 0"),
            (r#"{"id": "a", "v": -1}"#, "$.v is -1"),
            (r#"{"id": "a", "v": 1.5}"#, "$.v is 1.5"),
            (r#"{"id": "a", "v": "1"}"#, r#"$.v is the text "1""#),
            (r#"{"id": true, "v": 1}"#, "$.id is true"),
            (r#"{"id": "", "v": 1}"#, "the entity is the text"),
            (r#"{"id": "\u0000", "v": 1}"#, "the entity is the text"),
            (long.as_str(), "1 to 1,000 bytes"),
        ] {
            let error = stamp("$.id", "$.v", data).unwrap_err();
            assert!(error.contains(about), "{data}: {error}");
        }
    }
}

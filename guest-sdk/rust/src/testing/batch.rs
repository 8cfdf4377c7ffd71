//! From a test's events to the batches that a host would send.

use std::collections::HashMap;

use super::events::{Data, GivenEvent};
use crate::bindings::lantern::projector::types::{Batch, Description, Envelope};
use crate::timestamp::Timestamp;

/// An event with everything that a test may leave out.
pub(super) struct WholeEvent {
    /// The place among the events that the test gave.
    pub(super) given: usize,
    pub(super) tenant: String,
    pub(super) stream: String,
    event: GivenEvent,
    id: String,
    time: Timestamp,
    position: u64,
    version: u64,
}

/// 2026-01-01T00:00:00Z, when the first event happens unless the test says.
const START: i64 = 1_767_225_600_000_000;

/// Fills in what the test left out, and leaves out what the projector does not
/// want.
pub(super) fn wanted(events: Vec<GivenEvent>, description: &Description) -> Vec<WholeEvent> {
    let wants = &description.wants;
    let mut versions: HashMap<String, u64> = HashMap::new();
    let mut position = 0;
    let mut whole = Vec::new();
    for (given, event) in events.into_iter().enumerate() {
        position = event.position.unwrap_or(position + 1);
        let last = versions.entry(event.stream.clone()).or_default();
        let version = event.version.unwrap_or(*last + 1);
        *last = version;
        if matches(&wants.types, &event.event_type)
            && matches(&wants.streams, &event.stream)
            && matches(&wants.tenants, &event.tenant)
        {
            whole.push(WholeEvent {
                given,
                tenant: event.tenant.clone(),
                stream: event.stream.clone(),
                id: event
                    .id
                    .clone()
                    .unwrap_or_else(|| format!("event-{}", given + 1)),
                time: event
                    .time
                    .unwrap_or(Timestamp(START + given as i64 * 1_000_000)),
                position,
                version,
                event,
            });
        }
    }
    whole
}

fn matches(patterns: &[String], name: &str) -> bool {
    patterns.is_empty()
        || patterns
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == pattern,
            })
}

/// Events as the columns of a batch.
pub(super) fn columns(events: &[WholeEvent], needs: &Envelope) -> Batch {
    let mut batch = empty();
    let any_binary = events
        .iter()
        .any(|whole| matches!(whole.event.data, Data::Binary(_)));
    for whole in events {
        let event = &whole.event;
        batch.positions.push(whole.position);
        batch.versions.push(whole.version);
        batch.times.push(whole.time.0);
        batch
            .types
            .push(index_of(&mut batch.type_names, &event.event_type));
        batch
            .tenants
            .push(index_of(&mut batch.tenant_names, &whole.tenant));
        match &event.data {
            Data::Text(text) => batch.data.push_str(text),
            Data::Binary(bytes) => batch.binary.extend_from_slice(bytes),
        }
        batch.data_ends.push(batch.data.len() as u32);
        if any_binary {
            batch.binary_ends.push(batch.binary.len() as u32);
        }
        push_if(needs.ids, &mut batch.ids, &mut batch.id_ends, &whole.id);
        push_if(
            needs.streams,
            &mut batch.streams,
            &mut batch.stream_ends,
            &event.stream,
        );
        push_if(
            needs.metadata,
            &mut batch.metadata,
            &mut batch.metadata_ends,
            &event.metadata,
        );
    }
    batch
}

fn index_of(names: &mut Vec<String>, name: &str) -> u32 {
    let known = names.iter().position(|known| known == name);
    let index = known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    index as u32
}

fn push_if(asked: bool, texts: &mut String, ends: &mut Vec<u32>, text: &str) {
    if asked {
        texts.push_str(text);
        ends.push(texts.len() as u32);
    }
}

fn empty() -> Batch {
    Batch {
        positions: Vec::new(),
        versions: Vec::new(),
        times: Vec::new(),
        types: Vec::new(),
        type_names: Vec::new(),
        tenants: Vec::new(),
        tenant_names: Vec::new(),
        data: String::new(),
        data_ends: Vec::new(),
        binary: Vec::new(),
        binary_ends: Vec::new(),
        ids: String::new(),
        id_ends: Vec::new(),
        streams: String::new(),
        stream_ends: Vec::new(),
        metadata: String::new(),
        metadata_ends: Vec::new(),
    }
}

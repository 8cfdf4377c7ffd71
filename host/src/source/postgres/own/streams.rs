//! The streams that an append is about, each once, as columns of a statement.

use hashbrown::HashMap;

use crate::model::Event;
use crate::source::append::{MAX_NAME_BYTES, MAX_TENANT_BYTES};
use crate::source::{ExpectedVersion, SourceError};

/// The streams of an append, each once.
#[derive(Default)]
pub(super) struct Streams<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) tenants: Vec<&'a str>,
    pub(super) expected: Vec<Option<i64>>,
    /// For each event the place of its stream, counted from 1.
    pub(super) slots: Vec<i32>,
}

impl<'a> Streams<'a> {
    pub(super) fn of(
        events: &'a [Event],
        expected: &'a [ExpectedVersion],
    ) -> Result<Self, SourceError> {
        let mut streams = Self::default();
        let mut places = HashMap::new();
        for ExpectedVersion {
            tenant,
            stream,
            version,
        } in expected
        {
            let wrong = |actual: i64| SourceError::WrongVersion {
                stream: stream.clone(),
                expected: *version,
                actual: actual as u64,
            };
            if !can_be(tenant, stream) {
                // It has no events, and cannot even be asked for.
                match version {
                    0 => continue,
                    _ => return Err(wrong(0)),
                }
            }
            // A number beyond all versions is as wrong as any.
            let version = i64::try_from(*version).unwrap_or(i64::MAX);
            let slot = streams.slot(&mut places, stream, tenant);
            match streams.expected[slot as usize - 1].replace(version) {
                // It cannot have both.
                Some(other) if other != version => return Err(wrong(other)),
                _ => {}
            }
        }
        for event in events {
            let slot = streams.slot(&mut places, &event.stream, &event.tenant);
            streams.slots.push(slot);
        }
        Ok(streams)
    }

    fn slot(
        &mut self,
        places: &mut HashMap<(&'a str, &'a str), i32>,
        name: &'a str,
        tenant: &'a str,
    ) -> i32 {
        *places.entry((name, tenant)).or_insert_with(|| {
            self.names.push(name);
            self.tenants.push(tenant);
            self.expected.push(None);
            self.names.len() as i32
        })
    }
}

/// Whether there can be a stream of that name: one that an append would take.
fn can_be(tenant: &str, stream: &str) -> bool {
    let is_name = |name: &str, most| name.len() <= most && !name.contains('\0');
    !stream.is_empty() && is_name(stream, MAX_NAME_BYTES) && is_name(tenant, MAX_TENANT_BYTES)
}

//! The streams that an append is about, each once, as columns of a statement.

use hashbrown::HashMap;

use crate::model::Event;
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
            let slot = streams.slot(&mut places, stream, tenant);
            // A number beyond all versions is as wrong as any.
            let version = i64::try_from(*version).unwrap_or(i64::MAX);
            let wanted = &mut streams.expected[slot as usize - 1];
            match wanted.replace(version) {
                Some(other) if other != version => {
                    return Err(SourceError::WrongVersion {
                        stream: stream.clone(),
                        expected: version as u64,
                        actual: other as u64,
                    });
                }
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

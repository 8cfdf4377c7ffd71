//! A run of events as columns.

use super::position::Position;
use super::time::Timestamp;

/// A run of events in position order, as columns of equal length: the form in
/// which events travel from a source into a sandbox, so that a batch crosses in
/// a handful of copies.
///
/// `x` with `x_ends`: the texts of all events end to end, and where each ends.
/// Columns that a projector did not ask for (ids, streams, metadata) are empty,
/// and so are their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// Global positions, ascending.
    pub positions: Vec<u64>,
    /// Versions in the stream, from 1.
    pub versions: Vec<u64>,
    /// Microseconds since 1970.
    pub times: Vec<i64>,
    /// Indices into `type_names`.
    pub types: Vec<u32>,
    /// The types that occur, each once.
    pub type_names: Vec<String>,
    /// Indices into `tenant_names`.
    pub tenants: Vec<u32>,
    /// The tenants that occur, each once; `""` is no tenant.
    pub tenant_names: Vec<String>,
    /// Textual payloads, end to end.
    pub data: String,
    /// Where each textual payload ends.
    pub data_ends: Vec<u32>,
    /// Binary payloads, end to end.
    pub binary: Vec<u8>,
    /// Where each binary payload ends; empty when the whole batch is text.
    pub binary_ends: Vec<u32>,
    /// Event ids, end to end.
    pub ids: String,
    /// Where each id ends.
    pub id_ends: Vec<u32>,
    /// Stream names, end to end.
    pub streams: String,
    /// Where each stream name ends.
    pub stream_ends: Vec<u32>,
    /// Metadata, end to end.
    pub metadata: String,
    /// Where each event's metadata ends.
    pub metadata_ends: Vec<u32>,
}

impl EventBatch {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The position of the `i`-th event.
    pub fn position(&self, i: usize) -> Position {
        Position(self.positions[i])
    }

    /// The time of the `i`-th event.
    pub fn time(&self, i: usize) -> Timestamp {
        Timestamp(self.times[i])
    }

    /// The type of the `i`-th event.
    pub fn event_type(&self, i: usize) -> &str {
        &self.type_names[self.types[i] as usize]
    }

    /// The tenant of the `i`-th event; `""` is no tenant.
    pub fn tenant(&self, i: usize) -> &str {
        &self.tenant_names[self.tenants[i] as usize]
    }

    /// The stream of the `i`-th event; `""` when streams were not asked for.
    pub fn stream(&self, i: usize) -> &str {
        match self.stream_ends.is_empty() {
            true => "",
            false => &self.streams[span(&self.stream_ends, i)],
        }
    }

    /// The bytes that the batch takes, about.
    pub fn weight(&self) -> usize {
        self.data.len()
            + self.binary.len()
            + self.ids.len()
            + self.streams.len()
            + self.metadata.len()
            + self.len() * 48
    }

    /// The events from `range.start` up to, not including, `range.end`.
    ///
    /// # Panics
    ///
    /// When the range is not within the batch.
    pub fn slice(&self, range: std::ops::Range<usize>) -> EventBatch {
        let all: Vec<usize> = range.collect();
        self.pick(&all)
    }

    /// The chosen events, in the order of `chosen`, with the names of types and
    /// tenants that occur among them, and no others: what a tenant's batch names
    /// is nobody else's.
    ///
    /// # Panics
    ///
    /// When an index is not within the batch.
    pub fn pick(&self, chosen: &[usize]) -> EventBatch {
        let mut picked = EventBatch::default();
        let mut types = Named::new(&self.type_names);
        let mut tenants = Named::new(&self.tenant_names);
        for &i in chosen {
            picked.positions.push(self.positions[i]);
            picked.versions.push(self.versions[i]);
            picked.times.push(self.times[i]);
            let event_type = types.place(self.types[i], &mut picked.type_names);
            picked.types.push(event_type);
            let tenant = tenants.place(self.tenants[i], &mut picked.tenant_names);
            picked.tenants.push(tenant);
            copy_text(
                &self.data,
                &self.data_ends,
                i,
                &mut picked.data,
                &mut picked.data_ends,
            );
            copy_text(
                &self.ids,
                &self.id_ends,
                i,
                &mut picked.ids,
                &mut picked.id_ends,
            );
            copy_text(
                &self.streams,
                &self.stream_ends,
                i,
                &mut picked.streams,
                &mut picked.stream_ends,
            );
            copy_text(
                &self.metadata,
                &self.metadata_ends,
                i,
                &mut picked.metadata,
                &mut picked.metadata_ends,
            );
            if !self.binary_ends.is_empty() {
                picked
                    .binary
                    .extend_from_slice(&self.binary[span(&self.binary_ends, i)]);
                picked.binary_ends.push(picked.binary.len() as u32);
            }
        }
        picked
    }
}

/// Names on their way from one batch into another that has only some of them.
struct Named<'a> {
    names: &'a [String],
    /// The new place of each name, once it is there.
    places: Vec<Option<u32>>,
}

impl<'a> Named<'a> {
    fn new(names: &'a [String]) -> Self {
        Self {
            names,
            places: vec![None; names.len()],
        }
    }

    /// The place in `to` of the name that was at `place`.
    fn place(&mut self, place: u32, to: &mut Vec<String>) -> u32 {
        let place = place as usize;
        *self.places[place].get_or_insert_with(|| {
            to.push(self.names[place].clone());
            to.len() as u32 - 1
        })
    }
}

fn copy_text(from: &str, ends: &[u32], i: usize, to: &mut String, to_ends: &mut Vec<u32>) {
    if !ends.is_empty() {
        to.push_str(&from[span(ends, i)]);
        to_ends.push(to.len() as u32);
    }
}

fn span(ends: &[u32], i: usize) -> std::ops::Range<usize> {
    let start = if i == 0 { 0 } else { ends[i - 1] as usize };
    start..ends[i] as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_keeps_every_column_in_step() {
        let batch = EventBatch {
            positions: vec![1, 2, 3],
            versions: vec![1, 1, 2],
            times: vec![10, 20, 30],
            types: vec![0, 1, 0],
            type_names: vec!["a".into(), "b".into()],
            tenants: vec![1, 0, 0],
            tenant_names: vec!["mine".into(), "theirs".into()],
            data: "onetwothree".into(),
            data_ends: vec![3, 6, 11],
            ..EventBatch::default()
        };
        let slice = batch.slice(1..3);
        assert_eq!(slice.positions, [2, 3]);
        assert_eq!(slice.data, "twothree");
        assert_eq!(slice.data_ends, [3, 8]);
        assert_eq!(slice.event_type(0), "b");
        assert_eq!(slice.event_type(1), "a");
        assert_eq!((slice.tenant(0), slice.tenant(1)), ("mine", "mine"));
        assert_eq!(
            slice.tenant_names,
            ["mine"],
            "no name of others comes along"
        );
        assert!(slice.id_ends.is_empty());
    }
}

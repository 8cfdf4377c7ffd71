//! A run of events as columns.

use super::position::Position;
use super::time::Timestamp;

/// A run of events, as a rule in position order, as columns of equal length: the form in
/// which events travel from a source into a sandbox, so that a batch crosses in
/// a handful of copies.
///
/// `x` with `x_ends`: the texts of all events end to end, and where each ends.
/// Columns that a projector did not ask for (ids, streams, metadata) are empty,
/// and so are their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// Global positions; ascending, unless strict order had some wait.
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

    /// The textual payload of the `i`-th event; `""` for a binary one.
    pub fn text(&self, i: usize) -> &str {
        match self.data_ends.is_empty() {
            true => "",
            false => &self.data[span(&self.data_ends, i)],
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
            picked.push(self, i);
            let at = picked.len() - 1;
            picked.types[at] = types.place(self.types[i], &mut picked.type_names);
            picked.tenants[at] = tenants.place(self.tenants[i], &mut picked.tenant_names);
        }
        picked
    }

    /// A batch without events that knows the types and tenants of this one.
    pub fn emptied(&self) -> EventBatch {
        EventBatch {
            type_names: self.type_names.clone(),
            tenant_names: self.tenant_names.clone(),
            ..EventBatch::default()
        }
    }

    /// Adds an event of the batch that this one is the [`emptied`](Self::emptied)
    /// of: it has the same columns, types and tenants.
    ///
    /// # Panics
    ///
    /// When the index is not within that batch.
    pub fn push(&mut self, from: &EventBatch, i: usize) {
        self.positions.push(from.positions[i]);
        self.versions.push(from.versions[i]);
        self.times.push(from.times[i]);
        self.types.push(from.types[i]);
        self.tenants.push(from.tenants[i]);
        copy_text(
            (&from.data, &from.data_ends),
            i,
            (&mut self.data, &mut self.data_ends),
        );
        copy_text(
            (&from.ids, &from.id_ends),
            i,
            (&mut self.ids, &mut self.id_ends),
        );
        copy_text(
            (&from.streams, &from.stream_ends),
            i,
            (&mut self.streams, &mut self.stream_ends),
        );
        copy_text(
            (&from.metadata, &from.metadata_ends),
            i,
            (&mut self.metadata, &mut self.metadata_ends),
        );
        self.push_binary(from, i);
    }

    /// Adds an event of any batch that was read with the same needs.
    ///
    /// # Panics
    ///
    /// When the index is not within that batch.
    pub fn push_other(&mut self, from: &EventBatch, i: usize) {
        self.push(from, i);
        let at = self.len() - 1;
        self.types[at] = place_of(&mut self.type_names, from.event_type(i));
        self.tenants[at] = place_of(&mut self.tenant_names, from.tenant(i));
    }

    /// The binary payload of the event that was just added.
    fn push_binary(&mut self, from: &EventBatch, i: usize) {
        if from.binary_ends.is_empty() && self.binary_ends.is_empty() {
            return;
        }
        // What came before may all have been text.
        self.binary_ends
            .resize(self.positions.len() - 1, self.binary.len() as u32);
        if !from.binary_ends.is_empty() {
            let bytes = &from.binary[span(&from.binary_ends, i)];
            self.binary.extend_from_slice(bytes);
        }
        self.binary_ends.push(self.binary.len() as u32);
    }
}

/// The place of a name, which is added if it is new.
fn place_of(names: &mut Vec<String>, name: &str) -> u32 {
    let place = names.iter().position(|known| known == name);
    place.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as u32
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

fn copy_text((from, ends): (&str, &[u32]), i: usize, (to, to_ends): (&mut String, &mut Vec<u32>)) {
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

    #[test]
    fn an_event_of_another_batch_brings_its_names_and_bytes_along() {
        let mut batch = EventBatch {
            positions: vec![5],
            versions: vec![1],
            times: vec![0],
            types: vec![0],
            type_names: vec!["a".into()],
            tenants: vec![0],
            tenant_names: vec!["x".into()],
            data: "five".into(),
            data_ends: vec![4],
            ..EventBatch::default()
        };
        let other = EventBatch {
            positions: vec![2, 3],
            versions: vec![7, 8],
            times: vec![1, 2],
            types: vec![0, 1],
            type_names: vec!["b".into(), "a".into()],
            tenants: vec![0, 0],
            tenant_names: vec!["y".into()],
            data: "two".into(),
            data_ends: vec![3, 3],
            binary: vec![1, 2],
            binary_ends: vec![0, 2],
            ..EventBatch::default()
        };
        batch.push_other(&other, 1);
        batch.push_other(&other, 0);
        batch.push(&batch.clone(), 0);
        assert_eq!(batch.positions, [5, 3, 2, 5]);
        let types: Vec<&str> = (0..4).map(|i| batch.event_type(i)).collect();
        let tenants: Vec<&str> = (0..4).map(|i| batch.tenant(i)).collect();
        let texts: Vec<&str> = (0..4).map(|i| batch.text(i)).collect();
        assert_eq!(types, ["a", "a", "b", "a"]);
        assert_eq!(tenants, ["x", "y", "y", "x"]);
        assert_eq!(texts, ["five", "", "two", "five"]);
        assert_eq!(batch.binary_ends, [0, 2, 2, 2]);
    }
}

//! Streams that wait: which events of a page the projector gets, and which are
//! set aside.
//!
//! Pure. An event that failed is *condemned*; when it comes again, it is set
//! aside, and with it whatever its stream brings later. What is set aside goes
//! to the store with the next commit, in one transaction with the checkpoint
//! that goes past it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::failure::{Trouble, too_many_dead_letters};
use crate::config::{Failing, OnFailure};
use crate::model::{
    DeadLetter, DeadLetterChanges, DeadLetterError, Digest, EventBatch, Position, Timestamp,
    WaitingEvent,
};

/// A stream, with its tenant: streams of two tenants may have one name.
type Stream = (String, String);

/// An event that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condemned {
    pub(super) position: Position,
    pub(super) error: DeadLetterError,
    pub(super) attempts: u64,
}

/// What must not be projected. Shared with the stage that projects, so that a page
/// costs no copy of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// The dead letters of each stream that has any.
    streams: HashMap<Stream, BTreeSet<Position>>,
    condemned: BTreeMap<Position, Condemned>,
}

/// How many more events may be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    left: usize,
    most: usize,
}

/// The streams of one generation that wait.
#[derive(Debug)]
pub(super) struct Quarantine {
    failing: Failing,
    held: Arc<Held>,
    changes: DeadLetterChanges,
}

/// A page, parted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parted {
    /// What the projector gets, as indices into the page.
    pub(super) flows: Vec<usize>,
    /// What is set aside.
    pub(super) waits: Vec<DeadLetter>,
}

impl Quarantine {
    /// Begins with what the store has, and with the events that are condemned and
    /// that it does not have yet.
    pub(super) fn new(
        failing: Failing,
        letters: &[DeadLetter],
        condemned: BTreeMap<Position, Condemned>,
    ) -> Self {
        let mut streams: HashMap<Stream, BTreeSet<Position>> = HashMap::new();
        for letter in letters {
            let stream = (letter.tenant.clone(), letter.stream.clone());
            streams.entry(stream).or_default().insert(letter.position);
        }
        Self {
            failing,
            held: Arc::new(Held { streams, condemned }),
            changes: DeadLetterChanges::default(),
        }
    }

    /// Whether events fail into quarantine, rather than stop the projector.
    pub(super) fn is_wanted(&self) -> bool {
        self.failing.on_failure == OnFailure::Quarantine
    }

    /// Whether the streams of events must be known.
    pub(super) fn needs_streams(&self) -> bool {
        self.is_wanted() || !self.held.streams.is_empty()
    }

    /// What must not be projected, as of now.
    pub(super) fn held(&self) -> Arc<Held> {
        self.held.clone()
    }

    /// Sets an event aside when it comes again.
    pub(super) fn condemn(&mut self, condemned: Condemned) {
        let held = Arc::make_mut(&mut self.held);
        held.condemned.insert(condemned.position, condemned);
    }

    /// The error of an event that was condemned, once.
    pub(super) fn take_condemned(&mut self, position: Position) -> Option<Condemned> {
        Arc::make_mut(&mut self.held).condemned.remove(&position)
    }

    /// Parts a page. `None` when all of it flows, as a rule without looking at it.
    pub(super) fn part(&self, events: &EventBatch) -> Option<Parted> {
        let Held { streams, condemned } = &*self.held;
        if streams.is_empty() && condemned.is_empty() {
            return None;
        }
        let mut parted = Parted::default();
        let mut newly = BTreeSet::new();
        for i in 0..events.len() {
            let stream = (events.tenant(i).to_owned(), events.stream(i).to_owned());
            let condemned = condemned.get(&events.position(i));
            let waits =
                condemned.is_some() || newly.contains(&stream) || streams.contains_key(&stream);
            if !waits {
                parted.flows.push(i);
                continue;
            }
            parted.waits.push(letter(events, i, condemned));
            newly.insert(stream);
        }
        (!parted.waits.is_empty()).then_some(parted)
    }

    /// How many more events may be set aside.
    pub(super) fn room(&self) -> Room {
        let there: usize = self.held.streams.values().map(BTreeSet::len).sum();
        let most = self.failing.most_dead_letters;
        Room {
            left: most.saturating_sub(there),
            most,
        }
    }

    /// Sets events aside, with the next commit.
    pub(super) fn set_aside(&mut self, letters: Vec<DeadLetter>) {
        if letters.is_empty() {
            return;
        }
        let held = Arc::make_mut(&mut self.held);
        for letter in letters {
            held.condemned.remove(&letter.position);
            let stream = (letter.tenant.clone(), letter.stream.clone());
            held.streams
                .entry(stream)
                .or_default()
                .insert(letter.position);
            self.changes.puts.push(letter);
        }
    }

    /// Writes a dead letter anew, with the next commit.
    pub(super) fn write(&mut self, letter: DeadLetter) {
        self.changes.puts.push(letter);
    }

    /// Removes a dead letter, with the next commit; its stream flows again when it
    /// was the last.
    pub(super) fn settle(&mut self, letter: &DeadLetter) {
        self.changes.removes.push(letter.position);
        let stream = (letter.tenant.clone(), letter.stream.clone());
        let streams = &mut Arc::make_mut(&mut self.held).streams;
        if let Some(letters) = streams.get_mut(&stream) {
            letters.remove(&letter.position);
            if letters.is_empty() {
                streams.remove(&stream);
            }
        }
    }

    /// Has a dead letter tried next, with the next commit.
    pub(super) fn ask(&mut self, position: Position) {
        self.changes.asks.push(position);
    }

    /// Whether there is something for the next commit.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Hands out what the next commit does.
    pub(super) fn take_changes(&mut self) -> DeadLetterChanges {
        std::mem::take(&mut self.changes)
    }
}

impl Held {
    /// Whether an event that has waited for its turn must not be projected now that
    /// it has come: it is condemned, or its stream waits from before it on.
    pub(super) fn holds(&self, event: &WaitingEvent) -> bool {
        let is_ahead = |letters: &BTreeSet<Position>| {
            let first = letters.first();
            first.is_some_and(|first| *first < event.position)
        };
        self.condemned.contains_key(&event.position)
            || !self.streams.is_empty()
                && self
                    .streams
                    .get(&(event.tenant.clone(), event.stream.clone()))
                    .is_some_and(is_ahead)
    }

    /// The dead letter of an event that is held: the only one of a batch.
    pub(super) fn letter_of(&self, event: &EventBatch) -> DeadLetter {
        letter(event, 0, self.condemned.get(&event.position(0)))
    }
}

impl Room {
    /// What is left of it after so many more.
    ///
    /// # Errors
    ///
    /// The projector stops when there is not enough.
    pub(super) fn less(self, letters: usize, digest: &Digest) -> Result<Self, Trouble> {
        match self.left.checked_sub(letters) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(Trouble::Stuck(
                too_many_dead_letters(self.most, digest).into(),
            )),
        }
    }
}

/// The dead letters by stream, those of each in order.
pub(super) fn by_stream(letters: Vec<DeadLetter>) -> Vec<Vec<DeadLetter>> {
    let mut streams: BTreeMap<Stream, Vec<DeadLetter>> = BTreeMap::new();
    for letter in letters {
        let stream = (letter.tenant.clone(), letter.stream.clone());
        streams.entry(stream).or_default().push(letter);
    }
    for letters in streams.values_mut() {
        letters.sort_by_key(|letter| letter.position);
    }
    // The stream that has waited longest comes first.
    let mut streams: Vec<_> = streams.into_values().collect();
    streams.sort_by_key(|letters| letters.first().map(|letter| letter.position));
    streams
}

fn letter(events: &EventBatch, i: usize, condemned: Option<&Condemned>) -> DeadLetter {
    DeadLetter {
        position: events.position(i),
        tenant: events.tenant(i).to_owned(),
        stream: events.stream(i).to_owned(),
        version: events.versions[i],
        event_type: events.event_type(i).to_owned(),
        time: events.time(i),
        error: condemned.map(|it| it.error.clone()),
        attempts: condemned.map_or(0, |it| it.attempts),
        set_aside_at: Timestamp::now(),
        asked: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FailurePolicy;
    use crate::model::FailureClass;

    fn quarantine() -> Quarantine {
        let failing = Failing {
            on_failure: OnFailure::Quarantine,
            most_dead_letters: 3,
            ..FailurePolicy::default().while_live()
        };
        Quarantine::new(failing, &[], BTreeMap::new())
    }

    /// Events at positions from 1, of the given streams; `x/y` is stream y of
    /// tenant x.
    fn events(streams: &[&str]) -> EventBatch {
        let mut batch = EventBatch {
            type_names: vec!["t".into()],
            ..EventBatch::default()
        };
        for (i, stream) in streams.iter().enumerate() {
            let (tenant, stream) = stream.split_once('/').unwrap_or(("", stream));
            batch.positions.push(i as u64 + 1);
            batch.versions.push(1);
            batch.times.push(0);
            batch.types.push(0);
            batch.tenants.push(i as u32);
            batch.tenant_names.push(tenant.into());
            batch.streams.push_str(stream);
            batch.stream_ends.push(batch.streams.len() as u32);
        }
        batch
    }

    fn condemned(position: u64) -> Condemned {
        Condemned {
            position: Position(position),
            error: DeadLetterError {
                class: FailureClass::Event,
                cause: "no".into(),
                digest: Digest("d".into()),
                at: Timestamp(0),
            },
            attempts: 3,
        }
    }

    fn waiting(parted: &Parted) -> Vec<(u64, bool)> {
        let waits = parted.waits.iter();
        waits
            .map(|letter| (letter.position.0, letter.error.is_some()))
            .collect()
    }

    #[test]
    fn a_condemned_event_takes_along_what_its_stream_brings_later() {
        let mut quarantine = quarantine();
        let page = events(&["a", "b", "a", "b", "x/a"]);
        assert_eq!(quarantine.part(&page), None);
        quarantine.condemn(condemned(1));
        let parted = quarantine.part(&page).unwrap();
        assert_eq!(
            parted.flows,
            [1, 3, 4],
            "another tenant's is another stream"
        );
        assert_eq!(waiting(&parted), [(1, true), (3, false)]);
        let again = quarantine.part(&page).unwrap();
        assert_eq!(waiting(&again), waiting(&parted), "parting decides nothing");
        quarantine.set_aside(parted.waits);
        assert_eq!(quarantine.take_changes().puts.len(), 2);
        let later = quarantine.part(&events(&["a", "b"])).unwrap();
        assert_eq!(
            (later.flows.as_slice(), waiting(&later)),
            (&[1][..], vec![(1, false)])
        );
        assert_eq!(quarantine.room(), Room { left: 1, most: 3 });
    }

    #[test]
    fn a_stream_flows_again_when_its_last_letter_is_settled() {
        let mut before = quarantine();
        before.condemn(condemned(1));
        let page = events(&["a", "a"]);
        let letters = before.part(&page).unwrap().waits;
        let mut quarantine = Quarantine::new(before.failing, &letters, BTreeMap::new());
        quarantine.settle(&letters[0]);
        assert!(quarantine.part(&page).is_some());
        quarantine.settle(&letters[1]);
        assert_eq!(quarantine.part(&page), None);
        assert_eq!(quarantine.take_changes().removes.len(), 2);
    }

    #[test]
    fn several_can_be_condemned_until_each_has_come() {
        let mut quarantine = quarantine();
        quarantine.condemn(condemned(1));
        quarantine.condemn(condemned(3));
        let parted = quarantine.part(&events(&["a", "b", "c"])).unwrap();
        assert_eq!(waiting(&parted), [(1, true), (3, true)]);
        quarantine.set_aside(parted.waits);
        assert_eq!(quarantine.take_condemned(Position(3)), None, "it has come");
    }

    #[test]
    fn what_has_waited_is_held_by_letters_ahead_of_it_in_its_stream() {
        let mut quarantine = quarantine();
        quarantine.condemn(condemned(3));
        let parted = quarantine.part(&events(&["a", "b", "a", "a"])).unwrap();
        quarantine.set_aside(parted.waits);
        let waits = |position, stream: &str| WaitingEvent {
            position: Position(position),
            tenant: String::new(),
            entity: "e".into(),
            version: 2,
            stream: stream.into(),
            given_up: false,
            released: false,
        };
        let held = quarantine.held();
        assert!(held.holds(&waits(5, "a")));
        assert!(!held.holds(&waits(1, "a")), "it is ahead of them");
        assert!(!held.holds(&waits(5, "b")));
    }

    #[test]
    fn letters_come_stream_by_stream_the_longest_waiting_first() {
        let mut before = quarantine();
        before.condemn(condemned(2));
        let mut letters = before.part(&events(&["b", "a", "a"])).unwrap().waits;
        before.condemn(condemned(1));
        letters.extend(before.part(&events(&["b"])).unwrap().waits);
        letters.reverse();
        let streams = by_stream(letters);
        let positions: Vec<Vec<u64>> = streams
            .iter()
            .map(|letters| letters.iter().map(|letter| letter.position.0).collect())
            .collect();
        assert_eq!(positions, [vec![1], vec![2, 3]]);
    }
}

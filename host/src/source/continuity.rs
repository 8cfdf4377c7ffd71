//! Whether the versions of each stream come without holes.
//!
//! A second net below the order of positions: should a source ever bring an event
//! late, then the next event of its stream shows it. Memory is bounded: of a stream
//! that was not seen for long the next event is taken as it is.

/// Streams that lie in one place, the one seen last first: as many as fill a line of
/// the processor's cache, which is what a check waits for.
const WAYS: usize = 4;

/// Places at first, and the most there may be. With all of them 131,072 streams are
/// remembered in 2 MB; a reader of few streams takes little.
const PLACES: (usize, usize) = (64, 1 << 15);

/// Remembers the last version of each stream that a reader came past lately.
///
/// A page of events is checked between [`begin`](Continuity::begin) and
/// [`end`](Continuity::end). A stream is known by a number of the reader's choice,
/// such as its id or a hash of its name.
#[derive(Debug, Default)]
pub(in crate::source) struct Continuity {
    places: Vec<Place>,
    /// Streams that had to make room for others since the places were made.
    forgotten: usize,
    /// After which position the page in hand begins, or where the last one ended.
    at: Option<u64>,
    /// Whether a page is in hand, or was not brought to its end.
    in_page: bool,
    /// Whether this page was begun before, so that some of it may be known.
    is_again: bool,
}

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Place([Seen; WAYS]);

/// The version that was seen last. [`NEVER`] marks an empty place.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stream: u64,
    version: u64,
}

/// No stream comes to this version.
const NEVER: u64 = u64::MAX;

const EMPTY: Place = Place(
    [Seen {
        stream: 0,
        version: NEVER,
    }; WAYS],
);

impl Continuity {
    /// Begins a page with the events after a position. When the page before did not
    /// end there, all streams are forgotten: the reader was sent elsewhere. One that
    /// failed may be begun again, and shows the same hole again.
    pub(in crate::source) fn begin(&mut self, after: u64) {
        if self.at != Some(after) {
            self.forget();
        }
        self.at = Some(after);
        self.is_again = self.in_page;
        self.in_page = true;
    }

    /// Ends the page: all up to a position was checked.
    pub(in crate::source) fn end(&mut self, reached: u64) {
        self.at = Some(reached);
        self.in_page = false;
    }

    /// Forgets all streams.
    pub(in crate::source) fn forget(&mut self) {
        self.places.clear();
        self.forgotten = 0;
        self.in_page = false;
    }

    /// Checks the next event of a stream, none of whose events are left out.
    ///
    /// # Errors
    ///
    /// The version that should have come.
    #[inline]
    pub(in crate::source) fn check(&mut self, stream: u64, version: u64) -> Result<(), u64> {
        self.check_run(stream, version, version, 1)
    }

    /// Checks the next `count` events of a stream, none of whose events are left out,
    /// by the lowest and the highest version among them.
    ///
    /// # Errors
    ///
    /// The version that should have come: as the first, or, when one is missing among
    /// them, as the last.
    #[inline]
    pub(in crate::source) fn check_run(
        &mut self,
        stream: u64,
        first: u64,
        last: u64,
        count: u64,
    ) -> Result<(), u64> {
        let is_again = self.is_again;
        if first.wrapping_add(count) != last.wrapping_add(1) {
            return Err(first.wrapping_add(count).wrapping_sub(1));
        }
        match self.last_of(stream) {
            Some(known) if first == known.saturating_add(1) => *known = last,
            Some(known) => {
                let expected = known.saturating_add(1);
                // Read again after a failure: some of it is known.
                if !is_again || first > expected {
                    return Err(expected);
                }
                *known = last.max(*known);
            }
            None => self.remember(stream, last),
        }
        Ok(())
    }

    /// Checks the next event of a stream of which a filter leaves out some: versions
    /// ascend all the same.
    ///
    /// # Errors
    ///
    /// The lowest version that might have come.
    #[inline]
    pub(in crate::source) fn check_ascending(
        &mut self,
        stream: u64,
        version: u64,
    ) -> Result<(), u64> {
        let is_again = self.is_again;
        match self.last_of(stream) {
            Some(known) if version > *known => *known = version,
            Some(known) => {
                let expected = known.saturating_add(1);
                if !is_again {
                    return Err(expected);
                }
            }
            None => self.remember(stream, version),
        }
        Ok(())
    }

    /// The last version of a stream. It is then the one seen last in its place.
    #[inline]
    fn last_of(&mut self, stream: u64) -> Option<&mut u64> {
        let place = place_of(stream, self.places.len());
        let seen = &mut self.places.get_mut(place)?.0;
        let way = seen
            .iter()
            .position(|seen| seen.stream == stream && seen.version != NEVER)?;
        seen[..=way].rotate_right(1);
        Some(&mut seen[0].version)
    }

    fn remember(&mut self, stream: u64, version: u64) {
        // Some are forgotten long before all places are taken.
        if self.forgotten >= self.places.len() / 8 && self.places.len() < PLACES.1 {
            self.grow();
        }
        self.forgotten += usize::from(put(&mut self.places, Seen { stream, version }));
    }

    fn grow(&mut self) {
        let count = (self.places.len() * 4).clamp(PLACES.0, PLACES.1);
        let old = std::mem::replace(&mut self.places, vec![EMPTY; count]);
        // The last ones first, so that the order in each place is kept.
        for seen in old.iter().flat_map(|place| place.0.iter().rev()) {
            put(&mut self.places, *seen);
        }
        self.forgotten = 0;
    }
}

/// Puts a stream first in its place. Returns whether another had to make room.
fn put(places: &mut [Place], new: Seen) -> bool {
    if new.version == NEVER {
        return false;
    }
    let count = places.len();
    let place = &mut places[place_of(new.stream, count)].0;
    place.rotate_right(1);
    let old = std::mem::replace(&mut place[0], new);
    old.version != NEVER
}

/// Multiplying by a large odd number spreads ids that follow one another.
#[inline]
fn place_of(stream: u64, places: usize) -> usize {
    let spread = stream.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    (spread as usize) & places.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_goes_on_by_one() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        for (stream, version) in [(1, 7), (2, 1), (1, 8), (2, 2), (1, 9)] {
            assert_eq!(continuity.check(stream, version), Ok(()));
        }
        assert_eq!(continuity.check(1, 11), Err(10));
        assert_eq!(continuity.check(2, 2), Err(3), "the same once more");
        assert_eq!(continuity.check(2, 3), Ok(()));
    }

    #[test]
    fn a_run_is_whole() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        assert_eq!(continuity.check_run(1, 5, 8, 4), Ok(()));
        assert_eq!(continuity.check_run(1, 9, 12, 3), Err(11));
        assert_eq!(continuity.check_run(1, 10, 12, 3), Err(9));
        assert_eq!(continuity.check_run(1, 9, 12, 4), Ok(()));
        assert_eq!(continuity.check(1, 13), Ok(()));
    }

    #[test]
    fn with_some_left_out_versions_ascend() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        assert_eq!(continuity.check_ascending(1, 3), Ok(()));
        assert_eq!(continuity.check_ascending(1, 9), Ok(()));
        assert_eq!(continuity.check_ascending(1, 9), Err(10));
    }

    #[test]
    fn a_reader_that_starts_elsewhere_starts_anew() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        assert_eq!(continuity.check(1, 1), Ok(()));
        continuity.end(10);
        continuity.begin(10);
        assert_eq!(continuity.check(1, 2), Ok(()));
        continuity.end(20);
        continuity.begin(0);
        assert_eq!(continuity.check(1, 1), Ok(()));
    }

    #[test]
    fn a_page_that_failed_may_be_read_again_and_shows_its_hole_again() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        assert_eq!(continuity.check(1, 1), Ok(()));
        continuity.end(10);
        for _ in 0..3 {
            continuity.begin(10);
            assert_eq!(continuity.check(1, 2), Ok(()));
            assert_eq!(continuity.check(1, 3), Ok(()));
            assert_eq!(continuity.check(1, 5), Err(4));
        }
    }

    #[test]
    fn as_many_streams_as_are_common_are_all_remembered() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        let streams = 0..20_000;
        for stream in streams.clone() {
            assert_eq!(continuity.check(stream, 1), Ok(()));
        }
        let remembered = streams.filter(|stream| continuity.check(*stream, 9) == Err(2));
        assert!(remembered.count() > 19_000);
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let mut continuity = Continuity::default();
        continuity.begin(0);
        for stream in 1..=1_000_000 {
            assert_eq!(continuity.check(stream, 1), Ok(()));
            assert_eq!(continuity.check(0, stream), Ok(()));
        }
        assert_eq!(continuity.places.len(), PLACES.1);
        assert_eq!(continuity.check(0, 7), Err(1_000_001));
        assert_eq!(continuity.check(1_000_000, 3), Err(2));
        assert_eq!(continuity.check(1, 5), Ok(()), "long forgotten");
    }
}

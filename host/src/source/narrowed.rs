//! A source of which only a part is read: up to a position, or the events of one
//! tenant or stream.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{EventReader, Held, Page, PageLimit, Source, SourceError};
use crate::model::{Checkpoint, Envelope, EventFilter, Part, Pattern, Position};

/// What is read of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// Up to and including this position; `None` for as far as the log goes.
    pub until: Option<Position>,
    /// The events of this part only; `None` for all.
    pub part: Option<Part>,
}

/// The same source, of which no more is read than `narrow` allows. What lies
/// behind `until` is not there for its readers: they are at the head when they
/// reach it.
pub fn narrow(source: Arc<dyn Source>, narrow: Narrow) -> Arc<dyn Source> {
    Arc::new(Narrowed { source, narrow })
}

struct Narrowed {
    source: Arc<dyn Source>,
    narrow: Narrow,
}

#[async_trait]
impl Source for Narrowed {
    async fn head(&self) -> Result<Checkpoint, SourceError> {
        let head = self.source.head().await?;
        Ok(match self.narrow.until {
            Some(until) if head.position() > until => Checkpoint::at(until),
            _ => head,
        })
    }

    fn news(&self) -> watch::Receiver<Checkpoint> {
        self.source.news()
    }

    async fn hold_inline(&self, projector: &str) -> Result<Option<Held>, SourceError> {
        self.source.hold_inline(projector).await
    }

    fn held_back(&self) -> Option<String> {
        self.source.held_back()
    }

    fn reader(
        &self,
        filter: &EventFilter,
        needs: Envelope,
    ) -> Result<Box<dyn EventReader>, SourceError> {
        let part = self.narrow.part.clone();
        let (filter, needs) = match &part {
            Some(part) => narrowed_filter(filter, needs, part),
            None => (filter.clone(), needs),
        };
        Ok(Box::new(NarrowedReader {
            reader: self.source.reader(&filter, needs)?,
            until: self.narrow.until,
            part,
        }))
    }
}

/// The filter with the part's names in the place of the patterns for them. A
/// name that ends in `*` would be taken for a pattern: it lets more through, and
/// the reader leaves that out again.
fn narrowed_filter(filter: &EventFilter, needs: Envelope, part: &Part) -> (EventFilter, Envelope) {
    let mut filter = filter.clone();
    let named = |name: &String| vec![Pattern(name.clone())];
    if let Some(tenant) = &part.tenant {
        filter.tenants = named(tenant);
    }
    if let Some(stream) = &part.stream {
        filter.streams = named(stream);
    }
    let streams = needs.streams || part.stream.is_some();
    (filter, Envelope { streams, ..needs })
}

struct NarrowedReader {
    reader: Box<dyn EventReader>,
    until: Option<Position>,
    part: Option<Part>,
}

impl EventReader for NarrowedReader {
    fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
        if self.until.is_some_and(|until| after.position() >= until) {
            return Ok(Page {
                checkpoint: after.clone(),
                at_head: true,
                ..Page::default()
            });
        }
        let mut page = self.reader.read(after, limit)?;
        if let Some(until) = self
            .until
            .filter(|until| page.checkpoint.position() >= *until)
        {
            page.checkpoint = Checkpoint::at(until);
            page.at_head = true;
        }
        let events = &page.events;
        let kept: Vec<usize> = (0..events.len())
            .filter(|&i| {
                let is_in_time = self.until.is_none_or(|until| events.position(i) <= until);
                let part = self.part.as_ref();
                is_in_time && part.is_none_or(|it| it.has(events.tenant(i), events.stream(i)))
            })
            .collect();
        if kept.len() < events.len() {
            page.events = events.pick(&kept);
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventBatch;

    /// A log of ten events, the odd ones of tenant `a*`, the even ones of `ab`.
    struct Ten;

    impl EventReader for Ten {
        fn read(&mut self, after: &Checkpoint, limit: PageLimit) -> Result<Page, SourceError> {
            let start = after.position().0;
            let end = (start + limit.events as u64).min(10);
            let positions: Vec<u64> = (start + 1..=end).collect();
            let events = EventBatch {
                tenants: positions.iter().map(|p| (p % 2 == 0) as u32).collect(),
                tenant_names: vec!["a*".into(), "ab".into()],
                versions: positions.clone(),
                times: vec![0; positions.len()],
                types: vec![0; positions.len()],
                type_names: vec!["t".into()],
                positions,
                ..EventBatch::default()
            };
            Ok(Page {
                events,
                checkpoint: Checkpoint::at(Position(end)),
                at_head: end == 10,
            })
        }
    }

    fn read(narrow: Narrow, after: u64, most: usize) -> (Vec<u64>, u64, bool) {
        let mut reader = NarrowedReader {
            reader: Box::new(Ten),
            until: narrow.until,
            part: narrow.part,
        };
        let limit = PageLimit {
            events: most,
            bytes: 1 << 20,
        };
        let page = reader.read(&Position(after).into(), limit).unwrap();
        let reached = page.checkpoint.position().0;
        (page.events.positions, reached, page.at_head)
    }

    #[test]
    fn nothing_behind_the_end_is_read_and_the_end_is_the_head() {
        let to_six = || Narrow {
            until: Some(Position(6)),
            part: None,
        };
        assert_eq!(read(to_six(), 0, 4), (vec![1, 2, 3, 4], 4, false));
        assert_eq!(read(to_six(), 4, 4), (vec![5, 6], 6, true));
        assert_eq!(read(to_six(), 0, 6), (vec![1, 2, 3, 4, 5, 6], 6, true));
        assert_eq!(read(to_six(), 6, 4), (vec![], 6, true));
        assert_eq!(read(to_six(), 8, 4), (vec![], 8, true), "never backwards");
    }

    #[test]
    fn a_name_that_looks_like_a_pattern_is_a_name() {
        let part = Part {
            tenant: Some("a*".into()),
            stream: None,
        };
        let (filter, needs) = narrowed_filter(&EventFilter::default(), Envelope::default(), &part);
        assert!(filter.matches("t", "s", "a*") && !filter.matches("t", "s", "b"));
        assert!(
            !needs.streams,
            "streams are read only where they are needed"
        );
        let narrow = Narrow {
            until: None,
            part: Some(part),
        };
        assert_eq!(read(narrow, 0, 10), (vec![1, 3, 5, 7, 9], 10, true));
    }
}

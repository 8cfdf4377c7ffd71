//! Counts the visits of each page.

use lantern_sdk::prelude::*;

/// A row of the read model.
#[derive(Table, Debug, PartialEq)]
#[table(name = "page_visits", index(visits desc))]
pub struct PageVisits {
    #[key]
    pub page: String,
    pub visits: i64,
    pub last_visit: Timestamp,
}

/// The events this projector wants; all others are never sent to it.
#[derive(Events)]
pub enum SiteEvent<'a> {
    #[event("page.published")]
    Published { page: String },
    #[event("page.visited")]
    Visited { page: Cow<'a, str> },
    #[event("page.removed")]
    Removed { page: Cow<'a, str> },
}

/// Called once per event, in order. What it does to the rows takes effect
/// together with the checkpoint, so that no event counts twice.
#[projector(name = "{{ident}}", tables(PageVisits))]
pub fn projector(event: Event<SiteEvent>, rows: &mut Rows) -> Result<()> {
    match event.data {
        SiteEvent::Published { page } => {
            rows.upsert(&PageVisits {
                page,
                visits: 0,
                last_visit: event.time,
            });
        }
        SiteEvent::Visited { page } => {
            // A page that was never published has no row, and stays without.
            if rows.get(PageVisits::key(&page))?.is_some() {
                rows.increment(PageVisits::key(&page))
                    .by(PageVisits::visits, 1);
                rows.patch(PageVisits::key(&page))
                    .set(PageVisits::last_visit, event.time);
            }
        }
        SiteEvent::Removed { page } => {
            rows.delete(PageVisits::key(&page));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use lantern_sdk::testing::{event, events_from_json_lines, given, json};

    use super::*;

    #[test]
    fn visits_are_counted() {
        given([
            event("page.published").data(json!({ "page": "/" })),
            event("page.visited").data(json!({ "page": "/" })),
            event("page.visited").data(json!({ "page": "/nowhere" })),
            event("page.visited")
                .time("2026-05-01T08:00:00Z")
                .data(json!({ "page": "/" })),
        ])
        .when(projector)
        .then([PageVisits {
            page: "/".into(),
            visits: 2,
            last_visit: "2026-05-01T08:00:00Z".parse().unwrap(),
        }]);
    }

    #[test]
    fn the_example_events_end_in_two_pages() {
        let events = events_from_json_lines(include_str!("../events.jsonl"));
        let rows = given(events).when(projector).rows::<PageVisits>();
        let counts: Vec<_> = rows
            .iter()
            .map(|row| (row.page.as_str(), row.visits))
            .collect();
        assert_eq!(counts, [("/", 2), ("/about", 1)]);
    }
}

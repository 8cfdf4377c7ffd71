//! What a projector can ask for: tenants, events as they are, parts of the
//! envelope.

use lantern_sdk::prelude::*;
use lantern_sdk::testing::{event, given, json};

mod tenants {
    use super::*;

    #[derive(Table, Debug, PartialEq)]
    #[table(tenant_keyed)]
    struct Seen {
        #[key]
        name: String,
        times: i64,
    }

    #[derive(Events)]
    enum Any<'a> {
        #[event("seen.by_name")]
        Named { name: Cow<'a, str> },
        #[event(other)]
        Other,
    }

    #[projector(
        tables(Seen),
        types("seen.*"),
        tenants("de", "fr"),
        needs(ids, metadata),
        lookup(Seen, types("seen.*", "other"), key("$.name")),
        lookup(Seen, key("stream"))
    )]
    fn seen(event: Event<Any>, rows: &mut Rows) -> Result<()> {
        let name = match event.data {
            Any::Named { name } => name,
            Any::Other => Cow::Borrowed(event.event_type),
        };
        if rows.get(Seen::key(&name))?.is_none() {
            rows.upsert(&Seen {
                name: name.to_string(),
                times: 0,
            });
        }
        let more: Option<i64> = event.metadata.json()?;
        rows.increment(Seen::key(&name))
            .by(Seen::times, more.unwrap_or(1));
        assert!(event.id.starts_with("event-"));
        Ok(())
    }

    #[test]
    fn lookups_are_declared_by_table_types_and_key() {
        let lookups = lantern_sdk::Projector::describe(&seen).lookups;
        let declared: Vec<_> = lookups
            .iter()
            .map(|lookup| (&*lookup.table, lookup.types.join("|"), lookup.key.join("|")))
            .collect();
        let expected = [
            ("seen", "seen.*|other".to_owned(), "$.name".to_owned()),
            ("seen", String::new(), "stream".into()),
        ];
        assert_eq!(declared, expected);
    }

    #[test]
    fn each_tenant_has_rows_of_its_own() {
        let named = |tenant: &str| {
            event("seen.by_name")
                .tenant(tenant)
                .data(json!({ "name": "n" }))
        };
        let projected = given([
            named("de"),
            named("fr"),
            named("de").metadata(10),
            named("us"),
            event("seen.else").tenant("fr"),
            event("unseen").tenant("fr"),
        ])
        .when(seen);
        assert_eq!(
            projected.json("seen"),
            json!([
                { "tenant": "de", "name": "n", "times": 11 },
                { "tenant": "fr", "name": "n", "times": 1 },
                { "tenant": "fr", "name": "seen.else", "times": 1 },
            ])
        );
    }
}

mod streams {
    use super::*;

    #[derive(Table, Debug, PartialEq)]
    #[table(tenant_keyed, stream_keyed)]
    struct Heard {
        #[key]
        what: String,
        times: i64,
    }

    #[derive(Events)]
    enum Any {
        #[event("heard")]
        Heard,
    }

    #[projector(tables(Heard))]
    fn heard(event: Event<Any>, rows: &mut Rows) {
        let Any::Heard = event.data;
        rows.increment(Heard::key("it")).by(Heard::times, 1);
    }

    #[test]
    fn each_stream_of_each_tenant_has_rows_of_its_own() {
        let one = |tenant: &str, stream: &str| event("heard").tenant(tenant).stream(stream);
        let projected =
            given([one("a", "s"), one("b", "s"), one("a", "t"), one("a", "s")]).when(heard);
        assert_eq!(
            projected.json("heard"),
            json!([
                { "tenant": "a", "stream": "s", "what": "it", "times": 2 },
                { "tenant": "a", "stream": "t", "what": "it", "times": 1 },
                { "tenant": "b", "stream": "s", "what": "it", "times": 1 },
            ])
        );
    }
}

mod untyped {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Table, Debug, PartialEq)]
    struct Count {
        #[key]
        event_type: String,
        times: i64,
    }

    #[projector(tables(Count))]
    fn counts(event: Event<()>, rows: &mut Rows) {
        rows.upsert(&Count {
            event_type: event.event_type.into(),
            times: 1,
        });
    }

    static OUTSIDE: AtomicI64 = AtomicI64::new(0);

    #[derive(Table, Debug, PartialEq)]
    struct Leaky {
        #[key]
        id: i64,
        times: i64,
    }

    #[projector(tables(Leaky))]
    fn leaky(_: Event<()>, rows: &mut Rows) {
        let times = OUTSIDE.fetch_add(1, Ordering::Relaxed);
        rows.upsert(&Leaky { id: 1, times });
    }

    #[test]
    fn all_events_are_wanted_without_their_payload() {
        given([event("a").raw("{"), event("b").binary([1])])
            .when(counts)
            .then([
                Count {
                    event_type: "a".into(),
                    times: 1,
                },
                Count {
                    event_type: "b".into(),
                    times: 1,
                },
            ]);
    }

    #[test]
    #[should_panic(expected = "does not depend on its events and rows alone")]
    fn state_outside_of_the_rows_is_found_out() {
        given([event("a")]).when(leaky);
    }
}

mod unasked {
    use super::*;

    #[derive(Table, Debug, PartialEq)]
    struct Row {
        #[key]
        stream: String,
    }

    #[projector(tables(Row))]
    fn careless(event: Event<()>, rows: &mut Rows) {
        rows.upsert(&Row {
            stream: event.stream.to_string(),
        });
    }

    #[test]
    #[should_panic(expected = "add `needs(streams)` to its #[projector(..)]")]
    fn a_part_that_was_not_asked_for_says_how_to_ask() {
        given([event("a")]).when(careless);
    }
}

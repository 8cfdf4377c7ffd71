//! What readers get, in which order, and where it leaves them.

use tokio::task::block_in_place;

use super::bench::*;
use crate::model::{Checkpoint, Envelope, Event, EventFilter, Payload, Timestamp};
use crate::source::PageLimit;

/// Types a, b and c.x, c.y by turns, of tenants t1 and t2 by turns.
fn varied(count: u32) -> Vec<Event> {
    let types = ["a", "b", "c.x", "c.y"];
    let vary = |id: u32| Event {
        event_type: types[id as usize % 4].into(),
        tenant: format!("t{}", id / 4 % 2 + 1),
        ..event(id, &format!("s-{}", id % 3))
    };
    (0..count).map(vary).collect()
}

pub(in crate::source) async fn every_column_is_read_as_it_was_appended(bench: &impl Bench) {
    let store = bench.store();
    let mut list = varied(3);
    list[1].data = Payload::Binary(vec![0, 159, 7]);
    list[1].metadata = None;
    list[2].data = Payload::Text("é".into());
    store.append(list, Vec::new()).await.unwrap();

    let mut reader = reader(store, &EventFilter::default());
    let page = read(&mut *reader, &Checkpoint::start());
    let batch = page.events;
    assert!(page.at_head && page.checkpoint == at(3));
    assert_eq!(ids(&batch), ["0", "1", "2"]);
    assert_eq!(
        pieces(&batch.streams, &batch.stream_ends),
        ["s-0", "s-1", "s-2"]
    );
    assert_eq!(
        pieces(&batch.metadata, &batch.metadata_ends),
        [r#"{"source":"/tests"}"#, "", r#"{"source":"/tests"}"#]
    );
    assert_eq!(
        pieces(&batch.data, &batch.data_ends),
        [r#"{"id":"0"}"#, "", "é"]
    );
    assert_eq!(
        (batch.binary.as_slice(), batch.binary_ends.as_slice()),
        (&[0, 159, 7][..], &[0, 3, 3][..])
    );
    assert_eq!(
        (batch.event_type(2), batch.tenant(2), batch.time(2)),
        ("c.x", "t1", Timestamp(1_000_000))
    );
    assert_eq!(batch.tenant_names, ["t1"]);
}

pub(in crate::source) async fn what_is_not_needed_is_not_read(bench: &impl Bench) {
    let store = bench.store();
    store.append(varied(3), Vec::new()).await.unwrap();
    let filter = EventFilter {
        streams: patterns(&["s-1"]),
        ..EventFilter::default()
    };
    let mut lean = store.reader(&filter, Envelope::default()).unwrap();
    let batch = read(&mut *lean, &Checkpoint::start()).events;
    assert_eq!(batch.positions, [2]);
    assert!(
        batch.id_ends.is_empty() && batch.stream_ends.is_empty() && batch.metadata_ends.is_empty()
    );
    assert!(batch.binary_ends.is_empty());
}

pub(in crate::source) async fn filters_let_through_what_they_say(bench: &impl Bench) {
    let store = bench.store();
    store.append(varied(48), Vec::new()).await.unwrap();
    let lists: [(&[&str], &[&str], &[&str]); 6] = [
        (&["a"], &[], &[]),
        (&["c.*", "b"], &[], &[]),
        (&[], &["s-1", "s-2*"], &[]),
        (&[], &[], &["t2"]),
        (&["c*"], &["s*"], &["t1"]),
        (&["*"], &["*"], &["nobody*"]),
    ];
    for (types, streams, tenants) in lists {
        let filter = EventFilter {
            types: patterns(types),
            streams: patterns(streams),
            tenants: patterns(tenants),
        };
        let expected: Vec<String> = varied(48)
            .into_iter()
            .filter(|e| filter.matches(&e.event_type, &e.stream, &e.tenant))
            .map(|e| e.id)
            .collect();
        assert_eq!(read_all(store, &filter), expected, "{filter:?}");
    }
}

pub(in crate::source) async fn streams_are_wanted_by_name_by_path_and_by_tenant(
    bench: &impl Bench,
) {
    let store = bench.store();
    let streams = [
        ("process/t1/a", "t1"),
        ("process/t1/b", "t1"),
        ("process/t10/a", "t10"),
        ("process_t1/a", "t1"),
        ("process/t%/a", "t1"),
        ("order/t1/a", "t1"),
        ("process/t1/a", "t10"),
    ];
    let event = |(id, (stream, tenant)): (usize, &(&str, &str))| Event {
        tenant: (*tenant).into(),
        ..event(id, stream)
    };
    let list = streams.iter().enumerate().map(event).collect();
    store.append(list, Vec::new()).await.unwrap();
    let wanted = |streams: &[&str], tenants: &[&str]| {
        let filter = EventFilter {
            streams: patterns(streams),
            tenants: patterns(tenants),
            ..EventFilter::default()
        };
        read_all(store, &filter).concat()
    };
    assert_eq!(wanted(&["process/t1/a"], &[]), "06");
    assert_eq!(wanted(&["process/*"], &[]), "01246");
    assert_eq!(wanted(&["process/t1/*"], &[]), "016");
    assert_eq!(wanted(&["process/t%*"], &[]), "4");
    assert_eq!(wanted(&["process/*"], &["t1"]), "014");
    assert_eq!(wanted(&["process/t1/a", "order/*"], &["t1"]), "05");
}

pub(in crate::source) async fn a_filter_learns_names_that_come_later(bench: &impl Bench) {
    let store = bench.store();
    let filter = EventFilter {
        types: patterns(&["c.*"]),
        ..EventFilter::default()
    };
    let mut reader = reader(store, &filter);
    store.append(vec![event(1, "a")], Vec::new()).await.unwrap();
    let page = read(&mut *reader, &Checkpoint::start());
    assert!(page.events.is_empty() && page.at_head);
    assert_eq!(page.checkpoint, at(1));

    let mut count = 0;
    let mut checkpoint = page.checkpoint;
    // More types than fit into a query.
    for round in 0..3 {
        let typed = |i: u32| Event {
            event_type: format!("c.{i}"),
            ..event(i + 10, "a")
        };
        let list = (round * 100..round * 100 + 100).map(typed).collect();
        store.append(list, Vec::new()).await.unwrap();
        let page = read(&mut *reader, &checkpoint);
        checkpoint = page.checkpoint;
        count += page.events.len();
    }
    assert_eq!(count, 300);
}

pub(in crate::source) async fn a_filter_that_lets_nothing_through_moves_on_in_bounded_steps(
    bench: &impl Bench,
) {
    let store = bench.store();
    store
        .append(events(0..70_000, "a"), Vec::new())
        .await
        .unwrap();
    let filter = EventFilter {
        streams: patterns(&["b"]),
        ..EventFilter::default()
    };
    let mut reader = reader(store, &filter);
    let mut seen = Vec::new();
    let mut checkpoint = Checkpoint::start();
    loop {
        let page = read(&mut *reader, &checkpoint);
        assert!(page.events.is_empty());
        checkpoint = page.checkpoint;
        seen.push(checkpoint.position().0);
        if page.at_head {
            break;
        }
    }
    assert_eq!(seen, [32_768, 65_536, 70_000]);
    let nothing_new = read(&mut *reader, &checkpoint);
    assert!(nothing_new.at_head && nothing_new.checkpoint == checkpoint);
}

pub(in crate::source) async fn a_page_ends_at_either_limit(bench: &impl Bench) {
    let store = bench.store();
    let mut list = events(0..10, "a");
    list[4].data = Payload::Text("x".repeat(10_000));
    store.append(list, Vec::new()).await.unwrap();
    let mut reader = reader(store, &EventFilter::default());
    let mut read = |after, events, bytes| {
        let limit = PageLimit { events, bytes };
        let page = block_in_place(|| reader.read(&at(after), limit)).unwrap();
        (
            page.events.positions,
            page.checkpoint.position().0,
            page.at_head,
        )
    };
    assert_eq!(read(0, 3, 1 << 20), (vec![1, 2, 3], 3, false));
    assert_eq!(read(3, 100, 5_000), (vec![4, 5], 5, false));
    assert_eq!(read(4, 100, 1), (vec![5], 5, false));
    assert_eq!(read(5, 5, 1 << 20), (vec![6, 7, 8, 9, 10], 10, true));
    assert_eq!(read(10, 5, 1 << 20), (vec![], 10, true));
}

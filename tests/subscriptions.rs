//! Which events a projector is sent, by stream, beginning, type and tenant; and
//! that its checkpoint passes over the others.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{Events, Store, TestHost, on_each_store};

on_each_store![
    each_kind_of_subscription_is_sent_its_events_once,
    a_subscription_takes_in_streams_that_come_later,
];

/// An event: tenant, stream, type.
type Event = (&'static str, &'static str, &'static str);

/// What a projector wants, said once more and otherwise.
type Wants = fn(&Event) -> bool;

const SUBSCRIBERS: [(&str, Wants); 5] = [
    ("subscribes_to_a_stream", |(_, stream, _)| {
        *stream == "account/7"
    }),
    ("subscribes_to_beginnings", |(_, stream, _)| {
        stream.starts_with("process/") || *stream == "account/70"
    }),
    ("subscribes_to_types", |(_, _, event_type)| {
        *event_type == "counter.increased" || event_type.starts_with("other.")
    }),
    ("subscribes_to_tenants", |(tenant, _, _)| {
        *tenant == "eu" || tenant.starts_with("us-")
    }),
    ("subscribes_to_all_of_it", |(tenant, stream, event_type)| {
        stream.starts_with("process/") && event_type.starts_with("other.") && *tenant == "eu"
    }),
];

const TENANTS: [&str; 4] = ["eu", "us-east", "us", ""];
const STREAMS: [&str; 6] = [
    "account/7",
    "account/70",
    "account/700",
    "process/1",
    "process/eu/1",
    "processes/1",
];
const TYPES: [&str; 4] = [
    "counter.increased",
    "counter.increased.more",
    "other.thing",
    "otherwise",
];

fn each_kind_of_subscription_is_sent_its_events_once(store: Store) {
    let host = host(store);
    let all: Vec<Event> = TENANTS
        .into_iter()
        .flat_map(|tenant| STREAMS.map(|stream| (tenant, stream)))
        .flat_map(|(tenant, stream)| TYPES.map(|kind| (tenant, stream, kind)))
        .collect();
    // In two runs of the host: the second is sent what the first was not.
    let (first, second) = all.split_at(all.len() / 3);
    for (from, events) in [(1, first), (first.len() + 1, second)] {
        host.append(&cloud_events(from, events));
        host.run_until_caught_up();
    }
    for (name, wants) in SUBSCRIBERS {
        assert_eq!(sent(&host, name), counted(&all, wants), "{name}");
        // However little it wants, all of the log is behind it.
        let status = host.projector_status(name);
        assert_eq!(status["lag"], 0, "{name}");
        assert_eq!(status["checkpoint"], json!({ "": all.len() }), "{name}");
    }
}

fn a_subscription_takes_in_streams_that_come_later(store: Store) {
    let mut host = host(store);
    host.append(&cloud_events(1, &[("eu", "account/7", "otherwise")]));
    host.start();
    host.until("the first is there", || {
        sent(&host, "subscribes_to_a_stream").len() == 1
    });
    let later = [
        ("eu", "process/new", "other.thing"),
        ("new", "account/7", "otherwise"),
        ("eu", "account/8", "otherwise"),
    ];
    host.append(&cloud_events(2, &later));
    host.until("the others have come", || {
        sent(&host, "subscribes_to_a_stream").len() == 2
            && sent(&host, "subscribes_to_all_of_it").len() == 1
            && sent(&host, "subscribes_to_beginnings").len() == 1
            && sent(&host, "subscribes_to_tenants").len() == 3
    });
    host.stop();
}

fn host(store: Store) -> TestHost {
    let host = TestHost::on(store);
    for (name, _) in SUBSCRIBERS {
        host.install(name, &format!("{name}.wasm"));
    }
    host
}

fn counted(events: &[Event], wants: Wants) -> BTreeMap<String, i64> {
    let mut counted = BTreeMap::new();
    for (tenant, stream, _) in events.iter().filter(|event| wants(event)) {
        *counted.entry(format!("{tenant} {stream}")).or_default() += 1;
    }
    counted
}

/// What a projector has counted; nothing while it has no table yet.
fn sent(host: &TestHost, name: &str) -> BTreeMap<String, i64> {
    let rows = host
        .try_reader()
        .and_then(|reader| reader.rows(&format!("SELECT \"of\", events FROM {name}")));
    let rows = rows.unwrap_or_default().into_iter();
    let row = |row: Vec<serde_json::Value>| {
        let of = row[0].as_str().unwrap_or_default().to_owned();
        (of, row[1].as_i64().unwrap_or_default())
    };
    rows.map(row).collect()
}

fn cloud_events(from: usize, events: &[Event]) -> Events {
    let numbered = events.iter().enumerate();
    numbered.fold(Events::new(), |lines, (i, (tenant, stream, event_type))| {
        let mut event = json!({
            "specversion": "1.0",
            "id": format!("event-{}", from + i),
            "source": "/tests",
            "type": event_type,
            "subject": stream,
            "time": "2026-01-01T00:00:00Z",
            "data": {},
        });
        if !tenant.is_empty() {
            event["tenant"] = json!(tenant);
        }
        lines.line(&event.to_string())
    })
}

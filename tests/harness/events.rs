//! What goes in: events as CloudEvents, one a line.

use std::fmt::Write;

use serde_json::json;

/// Some events, in the order in which they happen.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    text: String,
    next: u64,
}

impl Events {
    /// None yet. Their ids will count from 1.
    pub(crate) fn new() -> Self {
        Self::from(1)
    }

    /// None yet, to go on after others: ids count from `first`.
    pub(crate) fn from(first: u64) -> Self {
        Self {
            text: String::new(),
            next: first,
        }
    }

    /// A counter, which is a stream, went up.
    pub(crate) fn increased(self, stream: &str, by: i64) -> Self {
        self.counting("eu", stream, json!({ "by": by }))
    }

    /// A counter of a tenant went up.
    pub(crate) fn increased_of(self, tenant: &str, stream: &str, by: i64) -> Self {
        self.counting(tenant, stream, json!({ "by": by }))
    }

    /// A counter went up by 1, in a way that a picky projector cannot bear.
    pub(crate) fn poisonous(self, stream: &str) -> Self {
        self.counting("eu", stream, json!({ "by": 1, "poison": true }))
    }

    /// `count` events, by 1 each, over `streams` counters in turn: `counter-0`,
    /// `counter-1` and so on.
    pub(crate) fn interleaved(self, count: u64, streams: u64) -> Self {
        (0..count).fold(self, |events, i| {
            events.increased(&format!("counter-{}", i % streams), 1)
        })
    }

    /// A line as it stands.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.text.push_str(line);
        self.text.push('\n');
        self
    }

    /// All of it, as a file holds it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn counting(mut self, tenant: &str, stream: &str, data: serde_json::Value) -> Self {
        let n = self.next;
        self.next += 1;
        let event = json!({
            "specversion": "1.0",
            "id": format!("event-{n}"),
            "source": "/tests",
            "type": "counter.increased",
            "subject": stream,
            "tenant": tenant,
            "time": format!("2026-01-01T{:02}:{:02}:{:02}Z", n / 3600 % 24, n / 60 % 60, n % 60),
            "data": data,
        });
        writeln!(self.text, "{event}").expect("a text takes what is written to it");
        self
    }
}

//! A host that counts events in PostgreSQL, and whether it has counted right.

use lantern_test_servers::TestDatabase;

use super::events::Events;
use super::host::TestHost;

/// Leases that run out soon, retries that come soon, commits that are small.
pub(crate) const SETTINGS: &str = "read_store.lease_ms = 2000\nretry.most_ms = 300\n\
                        batch.events = 20\ncommit.rows = 1\ncommit.interval_ms = 1";
/// How many counters there are.
const COUNTERS: u64 = 50;

/// The events counted in the rows, and the events up to the checkpoint beside
/// them: of one moment, as one statement asks for both.
const STEP: &str = "SELECT (SELECT coalesce(sum(events), 0) FROM read_models.counters)::bigint, \
     (SELECT count(*) FROM lantern_events.lantern_events WHERE position <= ( \
         SELECT coalesce(max((p.checkpoint ->> '')::bigint), 0) FROM read_models.lantern_progress p \
         JOIN read_models.lantern_generations g ON g.id = p.generation WHERE g.state = 'live'))";

/// Asserts that rows and checkpoint are of one moment.
pub(crate) fn assert_in_step(database: &TestDatabase) {
    let rows = database.query(STEP);
    assert_eq!(
        rows[0][0], rows[0][1],
        "events counted in the rows, and events up to the checkpoint beside them"
    );
}

/// A host that counts, and what was appended for it.
pub(crate) struct Counted {
    pub(crate) host: TestHost,
    pub(crate) appended: u64,
}

impl Counted {
    pub(crate) fn new(host: TestHost) -> Self {
        host.install("counter_v1", "counter.wasm");
        Self { host, appended: 0 }
    }

    /// Appends events, by 1 each.
    pub(crate) fn append(&mut self, count: u64) {
        self.host.append(&self.next(count));
        self.appended += count;
    }

    /// The same, again and again until it succeeds: what was appended after all
    /// is known by its id.
    pub(crate) fn append_stubbornly(&mut self, count: u64) {
        let events = self.next(count);
        for _ in 0..20 {
            let said = self
                .host
                .command_with_input(&["append", "-"], events.text());
            if said.code == 0 {
                self.appended += count;
                return;
            }
            said.ended_with(3);
        }
        panic!("no append succeeds");
    }

    fn next(&self, count: u64) -> Events {
        Events::from(self.appended + 1).interleaved(count, COUNTERS)
    }

    pub(crate) fn is_all_counted(&self) -> bool {
        sum(self.host.database()) == i64::try_from(self.appended).ok()
    }

    pub(crate) fn until_all_counted(&self) {
        self.host
            .until("all events are counted", || self.is_all_counted());
    }

    /// Waits until all is counted and asserts that it is, exactly, and that it was
    /// nobody's failure.
    pub(crate) fn assert_all_counted(&self) {
        self.until_all_counted();
        let database = self.host.database();
        assert_in_step(database);
        let wrong = database.query("SELECT * FROM read_models.counters WHERE total <> events");
        assert!(
            wrong.is_empty(),
            "counters that went up by 1 each time: {wrong:?}"
        );
        let status = self.host.projector_status("counter");
        assert!(status["failure"].is_null(), "{status:#}");
        self.host.until_state("counter", "live");
    }
}

/// The events counted in the rows, when they can be read.
pub(crate) fn sum(database: &TestDatabase) -> Option<i64> {
    let rows = database.try_query("SELECT sum(events) FROM read_models.counters");
    let sum = rows.ok()?.into_iter().flatten().flatten().next()?;
    sum.parse().ok()
}

//! Writers that append to an event table side by side, as unruly as
//! transactions may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use lantern_test_servers::{QueryError, Session, TestDatabase};

use super::chance::Chance;
use super::event_table::{EventTable, Statements};
use super::host::TestHost;

/// What became of appends.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) committed: u64,
    pub(crate) rolled_back: u64,
    /// Refused by the tool, as another was faster.
    pub(crate) refused: u64,
    /// Cut off, with whatever was going on.
    pub(crate) cut_off: u64,
}

/// Writers at work, each in a thread of its own.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Writers {
    pub(crate) fn begin(
        host: &TestHost,
        table: &'static EventTable,
        shared: &[String],
        count: u64,
        chance: &mut Chance,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count).map(|n| {
            let mut writer = Writer {
                table,
                database: host.shared_database(),
                own: (0..3).map(|_| table.stream(chance)).collect(),
                shared: shared.to_vec(),
                chance: chance.fork(n),
                tally: Tally::default(),
            };
            let stop = stop.clone();
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    writer.work(&stop);
                }
                writer.tally
            })
        });
        Self {
            threads: threads.collect(),
            stop,
        }
    }

    /// Lets them work for a while, and has the server cut one off now and then.
    pub(crate) fn cut_off_some(
        &self,
        database: &TestDatabase,
        span: Duration,
        chance: &mut Chance,
    ) {
        let begun = Instant::now();
        while begun.elapsed() < span {
            sleep(chance.time(100..500));
            let left = self.threads.iter().any(|thread| !thread.is_finished());
            assert!(left, "the writers have given up");
            database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'a writer' \
                 ORDER BY random() LIMIT 1",
            );
        }
    }

    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for thread in self.threads {
            let tally = thread.join().expect("a writer does not panic");
            all.committed += tally.committed;
            all.rolled_back += tally.rolled_back;
            all.refused += tally.refused;
            all.cut_off += tally.cut_off;
        }
        all
    }
}

struct Writer {
    table: &'static EventTable,
    database: Arc<TestDatabase>,
    own: Vec<String>,
    shared: Vec<String>,
    chance: Chance,
    tally: Tally,
}

impl Writer {
    /// Appends over one connection, until it is told to stop or is cut off.
    fn work(&mut self, stop: &AtomicBool) {
        let Ok(session) = self.database.try_session() else {
            return;
        };
        let named = session.try_query("SET application_name = 'a writer'");
        let mut alive = named.is_ok();
        while alive && !stop.load(Ordering::Relaxed) {
            alive = match self.append(&session) {
                Ok(()) => true,
                // A code of class 57 or none at all: the connection is gone.
                Err(error)
                    if error
                        .code
                        .as_ref()
                        .is_none_or(|code| code.starts_with("57")) =>
                {
                    self.tally.cut_off += 1;
                    false
                }
                Err(_) => {
                    self.tally.refused += 1;
                    session.try_query("ROLLBACK").is_ok()
                }
            };
        }
    }

    fn append(&mut self, session: &Session) -> Result<(), QueryError> {
        if self.chance.number(0..10) == 0 {
            // A part is rolled back, and its positions are lost in the middle.
            self.statements(session)?
                .run(session, "BEGIN; SAVEPOINT part")?;
            session.try_query("ROLLBACK TO part")?;
        }
        let begin = "BEGIN";
        let statements = self.statements(session)?;
        if !statements.run(session, begin)? {
            self.tally.refused += 1;
            session.try_query("ROLLBACK")?;
            return Ok(());
        }
        match self.chance.number(0..20) {
            0..12 => {}
            12..19 => sleep(self.chance.time(1..20)),
            // Long enough for hundreds of others to commit meanwhile.
            _ => sleep(self.chance.time(100..700)),
        }
        if self.chance.number(0..5) == 0 {
            session.try_query("ROLLBACK")?;
            self.tally.rolled_back += 1;
        } else {
            session.try_query("COMMIT")?;
            self.tally.committed += 1;
        }
        Ok(())
    }

    /// One to three events for a stream, its own or one that all share.
    fn statements(&mut self, session: &Session) -> Result<Statements, QueryError> {
        let streams = match self.chance.number(0..4) {
            0 => &self.shared,
            _ => &self.own,
        };
        let at = self.chance.number(0..streams.len() as u64);
        let stream = streams[at as usize].clone();
        let version = self.table.version(session, &stream)?;
        let count = self.chance.number(1..4);
        Ok(self
            .table
            .statements(&mut self.chance, &stream, version, count))
    }
}

//! Writers that append to an event table side by side, as unruly as
//! transactions may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use lantern_test_servers::{Postgres, QueryError, Session, TestDatabase};

use super::chance::Chance;
use super::event_table::{EventTable, Statements};
use super::host::TestHost;

/// How hard the writers try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zeal {
    /// How many write side by side.
    pub(crate) writers: u64,
    /// The most events of one append.
    pub(crate) most_events: u64,
    /// How long they go on at least.
    pub(crate) span: Duration,
    /// How many events they append at least.
    pub(crate) events: u64,
    /// How often one of them holds a transaction open for ten seconds; never when
    /// zero.
    pub(crate) hold_every: Duration,
    /// Whether the server crashes half-way, and is started again.
    pub(crate) crash: bool,
}

/// How long a held transaction stays open.
const HELD: Duration = Duration::from_secs(10);

/// What became of appends.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) committed: u64,
    /// Held open for ten seconds before their end.
    pub(crate) held: u64,
    pub(crate) rolled_back: u64,
    /// Refused by the tool, as another was faster.
    pub(crate) refused: u64,
    /// Cut off, with whatever was going on.
    pub(crate) cut_off: u64,
}

/// Writers at work, each in a thread of its own.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    /// Events committed so far.
    events: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Writers {
    pub(crate) fn begin(
        host: &TestHost,
        table: &'static EventTable,
        shared: &[String],
        zeal: Zeal,
        chance: &mut Chance,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let events = Arc::new(AtomicU64::new(0));
        let threads = (0..zeal.writers).map(|n| {
            let mut writer = Writer {
                table,
                database: host.shared_database(),
                own: (0..3).map(|_| table.stream(chance)).collect(),
                shared: shared.to_vec(),
                versions: HashMap::new(),
                most_events: zeal.most_events,
                // One at a time: some tools lock their table while they append.
                hold_every: Some(zeal.hold_every).filter(|every| n == 0 && !every.is_zero()),
                held_last: Instant::now(),
                events: events.clone(),
                chance: chance.fork(n),
                tally: Tally::default(),
            };
            let stop = stop.clone();
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    writer.work(&stop);
                    sleep(Duration::from_millis(20));
                }
                writer.tally
            })
        });
        Self {
            threads: threads.collect(),
            events,
            stop,
        }
    }

    /// Lets them work for as long as they should, and has the server cut one off
    /// now and then. Says how long it took.
    pub(crate) fn cut_off_some(
        &self,
        server: &Postgres,
        database: &TestDatabase,
        zeal: Zeal,
        chance: &mut Chance,
    ) -> Duration {
        let begun = Instant::now();
        let mut crash = zeal.crash;
        while begun.elapsed() < zeal.span || self.events.load(Ordering::Relaxed) < zeal.events {
            sleep(chance.time(100..500));
            let left = self.threads.iter().any(|thread| !thread.is_finished());
            assert!(left, "the writers have given up");
            assert!(
                begun.elapsed() < zeal.span * 10,
                "the writers do not get on"
            );
            if crash && begun.elapsed() > zeal.span / 2 {
                crash = false;
                server.kill();
                sleep(chance.time(500..2_000));
                server.start_again();
            }
            database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'a writer' \
                 ORDER BY random() LIMIT 1",
            );
        }
        begun.elapsed()
    }

    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for thread in self.threads {
            let tally = thread.join().expect("a writer does not panic");
            all.committed += tally.committed;
            all.held += tally.held;
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
    /// The versions of its own streams, where they are known for sure.
    versions: HashMap<String, u64>,
    most_events: u64,
    hold_every: Option<Duration>,
    held_last: Instant,
    events: Arc<AtomicU64>,
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
            let part = self.statements(session)?;
            part.statements.run(session, "BEGIN; SAVEPOINT part")?;
            session.try_query("ROLLBACK TO part")?;
        }
        let append = self.statements(session)?;
        self.versions.remove(&append.stream);
        if !append.statements.run(session, "BEGIN")? {
            self.tally.refused += 1;
            session.try_query("ROLLBACK")?;
            return Ok(());
        }
        let hold = self
            .hold_every
            .is_some_and(|every| self.held_last.elapsed() > every);
        match self.chance.number(0..20) {
            _ if hold => {
                sleep(HELD);
                self.held_last = Instant::now();
                self.tally.held += 1;
            }
            0..12 => {}
            12..19 => sleep(self.chance.time(1..20)),
            // Long enough for hundreds of others to commit meanwhile.
            _ => sleep(self.chance.time(100..700)),
        }
        if self.chance.number(0..5) == 0 {
            session.try_query("ROLLBACK")?;
            self.tally.rolled_back += 1;
            return Ok(());
        }
        session.try_query("COMMIT")?;
        self.tally.committed += 1;
        self.events.fetch_add(append.count, Ordering::Relaxed);
        if self.own.contains(&append.stream) {
            self.versions
                .insert(append.stream, append.version + append.count);
        }
        Ok(())
    }

    /// Some events for a stream, its own or one that all share.
    fn statements(&mut self, session: &Session) -> Result<Planned, QueryError> {
        let streams = match self.chance.number(0..8) {
            0 => &self.shared,
            _ => &self.own,
        };
        let at = self.chance.number(0..streams.len() as u64);
        let stream = streams[at as usize].clone();
        let version = match self.versions.get(&stream) {
            Some(version) => *version,
            None => self.table.version(session, &stream)?,
        };
        let count = self.chance.number(1..self.most_events + 1);
        Ok(Planned {
            statements: self
                .table
                .statements(&mut self.chance, &stream, version, count),
            stream,
            version,
            count,
        })
    }
}

/// An append that is about to be made.
struct Planned {
    statements: Statements,
    stream: String,
    version: u64,
    count: u64,
}

//! A server with its defaults, and what it costs.

use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};
use lantern_test_servers::{Postgres, PostgresOptions, TestDatabase};

/// A server that writes through to the disk, with one database to measure in.
pub(crate) struct Server {
    postgres: Postgres,
    pub(crate) database: TestDatabase,
    way: Way,
}

/// How clients reach the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Socket,
    Tcp,
}

/// What the servers of tests are given for speed or for convenience, set back to
/// what PostgreSQL comes with. `initdb` derives the bounds of the log from the
/// size of its segments, which is small in tests; a segment itself stays 1 MB.
const DEFAULTS: [(&str, &str); 6] = [
    ("max_connections", "100"),
    ("max_prepared_transactions", "0"),
    ("wal_level", "replica"),
    ("dynamic_shared_memory_type", "posix"),
    ("min_wal_size", "80MB"),
    ("max_wal_size", "1GB"),
];

impl Server {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed.
    pub(crate) fn start(way: Way) -> anyhow::Result<Self> {
        let settings = DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let options = PostgresOptions {
            fsync: true,
            settings: settings.to_vec(),
        };
        let postgres = Postgres::start_with(&options)
            .context("PostgreSQL is not installed: install its server, such as `postgresql`")?;
        let database = postgres.database();
        let server = Self {
            postgres,
            database,
            way,
        };
        println!("{}", server.about()?);
        Ok(server)
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> String {
        match self.way {
            Way::Socket => self.database.socket_url(),
            Way::Tcp => self.database.url().to_owned(),
        }
    }

    /// What the reader of the numbers should know of the server.
    fn about(&self) -> anyhow::Result<String> {
        let shown = self.database.query(
            "SELECT 'PostgreSQL ' || current_setting('server_version')
                || ': fsync ' || current_setting('fsync')
                || ', synchronous_commit ' || current_setting('synchronous_commit')
                || ', shared_buffers ' || current_setting('shared_buffers')
                || ', max_wal_size ' || current_setting('max_wal_size')",
        );
        let about = shown.first().and_then(|row| row.first()?.clone());
        let way = match self.way {
            Way::Socket => "a Unix socket",
            Way::Tcp => "TCP on the loopback interface",
        };
        Ok(format!(
            "{}, reached by {way}",
            about.context("the server says nothing of itself")?
        ))
    }

    /// Waits until nobody is connected any more, and has all that was changed so
    /// far written, so that the next contestant does not pay for the last one.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let others = "SELECT count(*) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        for _ in 0..1_000 {
            let answer = self.database.query(others);
            if answer.first().and_then(|row| row.first()?.as_deref()) == Some("0") {
                self.database.run("CHECKPOINT");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("a connection of the last contestant stays open")
    }

    /// User and system time of all the server's processes since it was started:
    /// of those that run, and of those that have ended.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let postmaster = self.postgres.pid().context("the server does not run")?;
        let mut cpu = on_cpu(postmaster)? + ended_children(postmaster)?;
        let mut children = 0;
        for entry in fs::read_dir("/proc").context("needs Linux")?.flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            // It may end while it is looked at, and is counted when it is next asked.
            if let (Ok(stat), Ok(ran)) = (stat(pid), on_cpu(pid))
                && stat.get(1) == Some(&postmaster.to_string())
            {
                cpu += ran;
                children += 1;
            }
        }
        ensure!(children > 0, "the server's processes are not to be seen");
        Ok(cpu)
    }
}

/// Time on a processor of a process with a single thread, as all of PostgreSQL's
/// are. `stat` has the same number, but only in ticks of 10 ms.
fn on_cpu(pid: u32) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat"))?;
    let nanos = text.split_whitespace().next().context("empty schedstat")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

/// Time on a processor of a process's children that have ended.
fn ended_children(pid: u32) -> anyhow::Result<Duration> {
    let stat = stat(pid)?;
    let mut ticks = 0;
    for field in [13, 14] {
        ticks += stat.get(field).context("a short stat")?.parse::<u64>()?;
    }
    // Linux shows times in hundredths of a second, whatever it counts in.
    Ok(Duration::from_millis(ticks * 10))
}

/// The fields of `/proc/<pid>/stat` after the name, which may hold spaces and
/// brackets: the state first, then the parent.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = text.rsplit(')').next().unwrap_or_default();
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

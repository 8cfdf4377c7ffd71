//! Where Lantern's time goes on PostgreSQL: the four stages one after the other
//! on one thread, each measured by itself.
//!
//! The worker lets them overlap, so it is faster than the sum; what each costs is
//! the same, but for the hand-overs between threads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use lantern::config::Pacing;
use lantern::model::{Cells, Commands};
use lantern::read_store::{Claimed, Committed};
use lantern::sandbox::{FoundRows, LoadedProjector, Rows, RowsRefused};
use lantern::source::PageLimit;
use lantern::unit_of_work::{UnitOfWork, Whose};
use lantern::worker::Assignment;

use super::server::{Server, Way};
use crate::measure::{Stopwatch, Took};
use crate::setting::{Setting, load};
use crate::workload;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Orders; each has four events.
    #[arg(long, default_value_t = 50_000)]
    orders: usize,
    /// How often to go over the log.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Reach PostgreSQL over TCP instead of its Unix socket.
    #[arg(long)]
    tcp: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let way = if arguments.tcp { Way::Tcp } else { Way::Socket };
    let server = Arc::new(Server::start(way)?);
    let projector = load("order_totals")?;
    let dir = tempfile::tempdir()?;
    let setting = Setting::on_server(dir.path(), &server.url()).await?;
    workload::append(&*setting.lantern.event_store(), arguments.orders).await?;
    server.database.run("VACUUM ANALYZE");
    let events = arguments.orders * 4;
    for (what, pacing) in [
        ("catching up", Pacing::default()),
        ("filling beside", Pacing::default().of_fill()),
    ] {
        for round in 1..=arguments.rounds {
            server
                .database
                .run("DROP SCHEMA IF EXISTS read_models CASCADE; CHECKPOINT");
            let dir = tempfile::tempdir()?;
            let setting = Setting::on_server(dir.path(), &server.url()).await?;
            let assignment = setting.assignment(&projector, pacing.clone()).await?;
            let claimed = setting
                .lantern
                .read_store()
                .claim(assignment.generation, &assignment.owner)
                .await?;
            let (server, projector) = (server.clone(), projector.clone());
            let stages = tokio::task::spawn_blocking(move || {
                go_over(&server, &projector, &assignment, claimed)
            });
            println!("{what}, round {round}:");
            stages.await??.print(events);
        }
    }
    Ok(())
}

/// What the stages have taken.
#[derive(Default)]
struct Stages {
    read: Cost,
    project: Cost,
    fold: Cost,
    commit: Cost,
    pages: usize,
    commits: usize,
    rows: usize,
}

#[derive(Default)]
struct Cost {
    wall: Duration,
    client: Duration,
    server: Duration,
}

impl Cost {
    fn add(&mut self, took: Took, server: Duration) {
        self.wall += took.wall;
        self.client += took.cpu;
        self.server += server;
    }
}

fn go_over(
    server: &Server,
    projector: &LoadedProjector,
    assignment: &Assignment,
    claimed: Claimed,
) -> anyhow::Result<Stages> {
    let Claimed::Taken(claim) = claimed else {
        return Err(anyhow!("somebody else has the generation"));
    };
    let (about, pacing) = (projector.description(), &assignment.pacing);
    let mut reader = assignment.source.reader(&about.wants, about.needs)?;
    let mut writer = assignment.store.writer(&claim, &about.tables)?;
    let mut unit = UnitOfWork::new(&about.tables, pacing.cache_bytes, claim.is_empty);
    let limit = PageLimit {
        events: pacing.batch_events,
        bytes: pacing.batch_bytes,
    };
    let mut stages = Stages::default();
    let (mut folded, mut committed) = (claim.checkpoint.clone(), claim.checkpoint.clone());
    loop {
        let (page, took, of_server) = timed(server, || reader.read(&folded, limit))?;
        let page = page?;
        stages.read.add(took, of_server);
        stages.pages += 1;
        let stopwatch = Stopwatch::start();
        let commands = projector.project(&page.events, Box::new(NoRows))?;
        stages.project.add(stopwatch.stop(), Duration::ZERO);
        let stopwatch = Stopwatch::start();
        unit.begin_batch();
        let unknown = unit.unknown_rows(&commands, Whose::default())?;
        ensure!(unknown.is_empty(), "the unit of work has forgotten rows");
        unit.apply(&commands, Whose::default())?;
        stages.fold.add(stopwatch.stop(), Duration::ZERO);
        folded = page.checkpoint;
        let is_enough = unit.gathered_rows() >= pacing.commit_rows
            || unit.gathered_bytes() >= pacing.commit_bytes;
        if page.at_head || is_enough {
            let (changes, group) = unit.take_changes();
            stages.rows += changes.tables.iter().map(|t| t.puts.len()).sum::<usize>();
            let (done, took, of_server) =
                timed(server, || writer.commit(&changes, &committed, &folded))?;
            ensure!(done? == Committed::Stored, "a commit was refused");
            stages.commit.add(took, of_server);
            stages.commits += 1;
            unit.committed(group);
            committed.clone_from(&folded);
        }
        if page.at_head {
            return Ok(stages);
        }
    }
}

/// Does something and says what it took here and of the server.
fn timed<T>(server: &Server, work: impl FnOnce() -> T) -> anyhow::Result<(T, Took, Duration)> {
    let before = server.cpu()?;
    let stopwatch = Stopwatch::start();
    let done = work();
    let took = stopwatch.stop();
    Ok((done, took, server.cpu()? - before))
}

impl Stages {
    fn print(&self, events: usize) {
        let per_event = |time: Duration| time.as_secs_f64() * 1e6 / events as f64;
        println!(
            "  {} pages, {} commits of {} rows; µs per event: wall, CPU of client, of server",
            self.pages, self.commits, self.rows
        );
        for (stage, cost) in [
            ("read", &self.read),
            ("project", &self.project),
            ("fold", &self.fold),
            ("commit", &self.commit),
        ] {
            println!(
                "  {stage:<8} {:>6.2} {:>6.2} {:>6.2}",
                per_event(cost.wall),
                per_event(cost.client),
                per_event(cost.server)
            );
        }
    }
}

/// The standard projector asks for no rows.
struct NoRows;

impl Rows for NoRows {
    fn take(&mut self, _commands: Commands) -> Result<(), RowsRefused> {
        Err(RowsRefused)
    }

    fn get(&mut self, _: usize, _: usize, _: &Cells) -> Result<FoundRows, RowsRefused> {
        Err(RowsRefused)
    }
}

//! Events per second and CPU time per event, beside native projectors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, ensure};
use clap::ValueEnum;
use lantern::config::{Durability, Pacing};
use lantern::sandbox::LoadedProjector;

use crate::measure::{Stopwatch, Took, percentile};
use crate::phase::Phase;
use crate::place::{Place, Store};
use crate::setting::{Setting, load};
use crate::{contestants, postgres, workload};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Orders; each has four events.
    #[arg(long, default_value_t = 50_000)]
    orders: usize,
    /// How often each contestant runs; the median is shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    at: Place,
    /// The durability of every contestant's database; on PostgreSQL the server
    /// has its defaults, which are full durability.
    #[arg(long, value_enum, default_value_t = Disk::Full)]
    durability: Disk,
    /// Leave out one transaction per event, which takes half a minute.
    #[arg(long)]
    quick: bool,
    /// Only Lantern, for a profiler.
    #[arg(long)]
    only_lantern: bool,
    /// Events handed to the projector at once.
    #[arg(long)]
    batch: Option<usize>,
    /// Changed rows that are worth a commit.
    #[arg(long)]
    commit_rows: Option<usize>,
}

/// When a commit counts as done.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Disk {
    Full,
    Normal,
}

impl From<Disk> for Durability {
    fn from(disk: Disk) -> Self {
        match disk {
            Disk::Full => Durability::Full,
            Disk::Normal => Durability::Normal,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Contestant {
    CatchUp,
    Rebuild,
    ExpertRaw,
    ExpertLean,
    ExpertSqlx,
    PerEvent,
}

impl Contestant {
    fn name(self) -> &'static str {
        match self {
            Contestant::CatchUp => "(a) Lantern, Rust component, catching up",
            Contestant::Rebuild => "(a) Lantern, Rust component, rebuild to swap",
            Contestant::ExpertRaw => "(b) native expert, raw SQLite, 1,000 a batch",
            Contestant::ExpertLean => "(b+) the same, borrowing, only what it needs",
            Contestant::ExpertSqlx => "(c) native expert, sqlx, 1,000 a batch",
            Contestant::PerEvent => "(d) native, one transaction per event",
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut pacing = Pacing::default();
    pacing.batch_events = arguments.batch.unwrap_or(pacing.batch_events);
    pacing.commit_rows = arguments.commit_rows.unwrap_or(pacing.commit_rows);
    if arguments.at.store == Store::Sqlite {
        return run_on_sqlite(arguments, pacing).await;
    }
    ensure!(
        arguments.durability == Disk::Full,
        "--durability is a choice on SQLite only"
    );
    let plan = postgres::throughput::Plan {
        orders: arguments.orders,
        rounds: arguments.rounds,
        pacing,
        quick: arguments.quick,
        only_lantern: arguments.only_lantern,
        way: arguments.at.way(),
    };
    postgres::throughput::run(plan).await
}

async fn run_on_sqlite(arguments: Arguments, pacing: Pacing) -> anyhow::Result<()> {
    let durability = arguments.durability.into();
    let dir = tempfile::tempdir()?;
    let events = dir.path().join("events.db");
    let shared = Setting::open(&dir.path().join("shared"), Some(&events), durability).await?;
    let stopwatch = Stopwatch::start();
    workload::append(&*shared.lantern.event_store(), arguments.orders).await?;
    let count = arguments.orders as u64 * 4;
    println!(
        "{count} events appended at {:.0} events/s",
        stopwatch.stop().events_per_second(count)
    );

    let projector = load("order_totals")?;
    let mut field = vec![Contestant::CatchUp, Contestant::Rebuild];
    if !arguments.only_lantern {
        field.extend([
            Contestant::ExpertRaw,
            Contestant::ExpertLean,
            Contestant::ExpertSqlx,
        ]);
    }
    if !arguments.quick && !arguments.only_lantern {
        field.push(Contestant::PerEvent);
    }
    let mut results: Vec<(Contestant, Vec<Took>)> =
        field.iter().map(|c| (*c, Vec::new())).collect();
    let mut expected = None;
    for round in 0..arguments.rounds {
        for (contestant, took) in &mut results {
            if *contestant == Contestant::PerEvent && round > 0 {
                continue;
            }
            let place = dir.path().join(format!("{contestant:?}-{round}"));
            std::fs::create_dir_all(&place)?;
            let (time, rows) = measure(
                *contestant,
                &events,
                &place,
                durability,
                &projector,
                &pacing,
            )
            .await?;
            let digest = contestants::digest(&rows)?;
            ensure!(
                digest.0 == arguments.orders as u64,
                "{} made {} rows",
                contestant.name(),
                digest.0
            );
            if *expected.get_or_insert_with(|| digest.clone()) != digest {
                bail!("{} made other rows than the first", contestant.name());
            }
            took.push(time);
            std::fs::remove_dir_all(&place)?;
        }
    }
    print(&results, count);
    Ok(())
}

async fn measure(
    contestant: Contestant,
    events: &Path,
    place: &Path,
    durability: Durability,
    projector: &Arc<LoadedProjector>,
    pacing: &Pacing,
) -> anyhow::Result<(Took, PathBuf)> {
    let rows = place.join("rows.db");
    let stopwatch;
    let took = match contestant {
        Contestant::ExpertRaw => {
            stopwatch = Stopwatch::start();
            contestants::expert_raw(events, &rows, durability)?;
            stopwatch.stop()
        }
        Contestant::ExpertLean => {
            stopwatch = Stopwatch::start();
            contestants::expert_lean(events, &rows, durability)?;
            stopwatch.stop()
        }
        Contestant::ExpertSqlx => {
            stopwatch = Stopwatch::start();
            contestants::expert_sqlx(events, &rows, durability).await?;
            stopwatch.stop()
        }
        Contestant::PerEvent => {
            stopwatch = Stopwatch::start();
            contestants::transaction_per_event(events, &rows, durability)?;
            stopwatch.stop()
        }
        Contestant::CatchUp | Contestant::Rebuild => {
            let setting = Setting::open(place, Some(events), durability).await?;
            let phase = match contestant {
                Contestant::Rebuild => Phase::Rebuild,
                _ => Phase::CatchUp,
            };
            let assignment = phase.prepare(&setting, projector, pacing).await?;
            stopwatch = Stopwatch::start();
            phase.run(&assignment).await?;
            let took = stopwatch.stop();
            return Ok((took, setting.lantern.settings().read_store.path.clone()));
        }
    };
    Ok((took, rows))
}

fn print(results: &[(Contestant, Vec<Took>)], count: u64) {
    let median = |took: &[Took], of: &dyn Fn(&Took) -> f64| {
        let mut all: Vec<f64> = took.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        percentile(&all, 0.5)
    };
    let speed = |took: &[Took]| median(took, &|t| t.events_per_second(count));
    let cpu = |took: &[Took]| median(took, &|t| t.cpu_micros_per_event(count));
    let find = |wanted| {
        results
            .iter()
            .find(|(c, _)| *c == wanted)
            .map(|(_, took)| took.as_slice())
    };
    println!(
        "{:<48} {:>10} {:>12} {:>10} {:>10}",
        "", "events/s", "CPU µs/event", "wall / (b)", "CPU / (b)"
    );
    for (contestant, took) in results {
        let beside = find(Contestant::ExpertRaw).map_or(String::new(), |b| {
            format!(
                "{:>9.2}x {:>9.2}x",
                speed(took) / speed(b),
                cpu(took) / cpu(b)
            )
        });
        println!(
            "{:<48} {:>10.0} {:>12.2} {beside}",
            contestant.name(),
            speed(took),
            cpu(took)
        );
    }
    for (name, other) in [
        ("(b+)", Contestant::ExpertLean),
        ("(c)", Contestant::ExpertSqlx),
    ] {
        if let (Some(a), Some(b)) = (find(Contestant::CatchUp), find(other)) {
            println!(
                "(a) catching up beside {name}: wall {:.2}x, CPU {:.2}x",
                speed(a) / speed(b),
                cpu(a) / cpu(b)
            );
        }
    }
}

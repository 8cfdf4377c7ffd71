//! Events per second and CPU time per event on PostgreSQL, of the client and of
//! the server.

use std::sync::Arc;

use anyhow::{bail, ensure};
use lantern::config::Pacing;
use lantern::sandbox::LoadedProjector;

use super::rows::{self, NATIVE};
use super::server::{Server, Way};
use super::{experts, plain, report};
use crate::measure::{Stopwatch, Took};
use crate::phase::Phase;
use crate::setting::{Setting, load};
use crate::workload;

/// What to measure.
pub(crate) struct Plan {
    pub(crate) orders: usize,
    pub(crate) rounds: usize,
    pub(crate) pacing: Pacing,
    /// Leave out one transaction per event.
    pub(crate) quick: bool,
    pub(crate) only_lantern: bool,
    pub(crate) way: Way,
}

/// Events that the beginner's way is given: each costs as much as the last one,
/// and all of them would take minutes.
const FEWER_EVENTS: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Contestant {
    CatchUp,
    Rebuild,
    Expert,
    ExpertPlain,
    ExpertLean,
    PerEvent,
    Aggregate,
}

impl Contestant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Contestant::CatchUp => "(a) Lantern, Rust component, catching up",
            Contestant::Rebuild => "(a') Lantern, Rust component, rebuild to swap",
            Contestant::Expert => "(b) native expert, sqlx, 1,000 a batch",
            Contestant::ExpertPlain => "(b') the same, from a table of whole events",
            Contestant::ExpertLean => "(b+) the same, borrowing, only what it needs",
            Contestant::PerEvent => "(c) native, one transaction per event",
            Contestant::Aggregate => "(d) one INSERT .. SELECT .. GROUP BY",
        }
    }

    /// How many of the log's events it reads.
    fn events(self, all: usize) -> usize {
        match self {
            Contestant::PerEvent => FEWER_EVENTS.min(all),
            _ => all,
        }
    }

    /// Where its rows are.
    fn table(self) -> &'static str {
        match self {
            Contestant::CatchUp | Contestant::Rebuild => "read_models.order_totals",
            _ => NATIVE,
        }
    }
}

/// What a contestant took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) events: usize,
    /// Of this process.
    pub(super) took: Took,
    /// User and system time of all the server's processes.
    pub(super) server: std::time::Duration,
}

/// Lets all contestants run and prints what they took.
pub(crate) async fn run(plan: Plan) -> anyhow::Result<()> {
    let server = Server::start(plan.way)?;
    let projector = load("order_totals")?;
    fill(&server, &plan).await?;
    let mut results: Vec<(Contestant, Vec<Cost>)> =
        field(&plan).into_iter().map(|c| (c, Vec::new())).collect();
    let mut expected = None;
    for round in 0..plan.rounds {
        for (contestant, costs) in &mut results {
            if *contestant == Contestant::PerEvent && round > 0 {
                continue;
            }
            costs.push(measure(*contestant, &server, &plan, &projector).await?);
            let complete = contestant.events(plan.orders * 4) / 4;
            let digest = rows::digest(&server, contestant.table(), complete)?;
            let name = contestant.name();
            ensure!(digest.rows == complete, "{name} made {} rows", digest.rows);
            if complete < plan.orders {
                compare_with_first_rows(&server, &digest).await?;
            } else if *expected.get_or_insert_with(|| digest.of_first.clone()) != digest.of_first {
                bail!("{name} made other rows than the first");
            }
        }
    }
    report::print(&results);
    Ok(())
}

fn field(plan: &Plan) -> Vec<Contestant> {
    let mut field = vec![Contestant::CatchUp, Contestant::Rebuild];
    if plan.only_lantern {
        return field;
    }
    field.extend([
        Contestant::Expert,
        Contestant::ExpertPlain,
        Contestant::ExpertLean,
        Contestant::Aggregate,
    ]);
    if !plan.quick {
        field.push(Contestant::PerEvent);
    }
    field
}

/// Appends the workload, and leaves the server as if it had been there for long.
async fn fill(server: &Server, plan: &Plan) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let setting = Setting::on_server(dir.path(), &server.url()).await?;
    let (stopwatch, before) = (Stopwatch::start(), server.cpu()?);
    workload::append(&*setting.lantern.event_store(), plan.orders).await?;
    let cost = Cost {
        events: plan.orders * 4,
        took: stopwatch.stop(),
        server: server.cpu()? - before,
    };
    report::print_append(&cost);
    drop(setting);
    if !plan.only_lantern {
        plain::copy_log(server);
    }
    server.database.run("VACUUM ANALYZE");
    Ok(())
}

async fn measure(
    contestant: Contestant,
    server: &Server,
    plan: &Plan,
    projector: &Arc<LoadedProjector>,
) -> anyhow::Result<Cost> {
    let events = contestant.events(plan.orders * 4);
    let cost = |took, server| Cost {
        events,
        took,
        server,
    };
    let url = server.url();
    let phase = match contestant {
        Contestant::CatchUp => Phase::CatchUp,
        Contestant::Rebuild => Phase::Rebuild,
        _ => {
            rows::make(server);
            server.settle()?;
            let (stopwatch, before) = (Stopwatch::start(), server.cpu()?);
            match contestant {
                Contestant::ExpertPlain => experts::expert(&url, experts::Log::Plain).await?,
                Contestant::ExpertLean => experts::expert_lean(&url).await?,
                Contestant::PerEvent => experts::transaction_per_event(&url, events).await?,
                Contestant::Aggregate => plain::aggregate(&url).await?,
                _ => experts::expert(&url, experts::Log::Lantern).await?,
            }
            return Ok(cost(stopwatch.stop(), server.cpu()? - before));
        }
    };
    server
        .database
        .run("DROP SCHEMA IF EXISTS read_models CASCADE");
    let dir = tempfile::tempdir()?;
    let setting = Setting::on_server(dir.path(), &url).await?;
    let assignment = phase.prepare(&setting, projector, &plan.pacing).await?;
    server.database.run("CHECKPOINT");
    let (stopwatch, before) = (Stopwatch::start(), server.cpu()?);
    phase.run(&assignment).await?;
    Ok(cost(stopwatch.stop(), server.cpu()? - before))
}

/// The beginner's way has made the first rows only: they must be those that
/// everybody else has made, which the pure SQL can make again.
async fn compare_with_first_rows(server: &Server, first: &rows::Digest) -> anyhow::Result<()> {
    rows::make(server);
    plain::aggregate(&server.url()).await?;
    let all = rows::digest(server, NATIVE, first.rows)?;
    ensure!(
        all.of_first == first.of_first,
        "one transaction per event made other rows"
    );
    Ok(())
}

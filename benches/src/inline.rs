//! What an inline projector costs each append.

use std::time::Instant;

use lantern::config::Durability;
use lantern::operations::{Until, run as run_host};
use lantern::source::EventStore;
use tokio::sync::watch;

use crate::measure::percentile;
use crate::place::{Place, Store};
use crate::postgres::Server;
use crate::setting::{Setting, component};
use crate::workload::{Random, event};

const NAME: &str = "order_totals";

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Appends in each round, of one event each.
    #[arg(long, default_value_t = 500)]
    appends: usize,
    /// Rounds of each kind, in turn.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    #[command(flatten)]
    at: Place,
}

/// Appends single events, alone and with `order_totals` inline, in turn.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (_server, setting) = match arguments.at.store {
        Store::Sqlite => {
            let setting = Setting::in_one_file(dir.path(), Durability::Full).await?;
            (None, setting)
        }
        Store::Postgres => {
            let server = Server::start(arguments.at.way())?;
            let setting = Setting::on_server(dir.path(), &server.url()).await?;
            (Some(server), setting)
        }
    };
    let settings = setting.lantern.settings();
    std::fs::create_dir_all(&settings.projectors_dir)?;
    let file = settings.projectors_dir.join("order_totals.wasm");
    std::fs::write(file, component(NAME)?)?;
    let (_stop, stopped) = watch::channel(false);
    run_host(&setting.lantern, Until::CaughtUp, stopped).await?;

    let log = setting.lantern.event_store();
    let (mut alone, mut inline) = (Vec::new(), Vec::new());
    let mut work = Workload {
        random: Random(7),
        order: 0,
    };
    for round in 0..=arguments.rounds {
        log.end_inline(NAME).await?;
        let without = work.append(&*log, arguments.appends).await?;
        log.begin_inline(NAME).await?;
        let with = work.append(&*log, arguments.appends).await?;
        // The first round is for caches.
        if round > 0 {
            alone.extend(without);
            inline.extend(with);
        }
    }
    let records = setting.lantern.read_store().projectors().await?;
    let live = records.first().and_then(|record| record.live());
    let head = log.head().await?;
    anyhow::ensure!(
        live.is_some_and(|live| live.checkpoint.reaches(&head)),
        "the projector did not follow: is its component of this version? Run `make guests`"
    );
    let of = |mut millis: Vec<f64>| {
        millis.sort_by(f64::total_cmp);
        (percentile(&millis, 0.5), percentile(&millis, 0.99))
    };
    let ((a50, a99), (i50, i99)) = (of(alone), of(inline));
    println!("an append of one event: alone p50 {a50:.2} ms, p99 {a99:.2} ms");
    println!("with an inline projector: p50 {i50:.2} ms, p99 {i99:.2} ms");
    println!("inline / alone: {:.2}", i50 / a50);
    Ok(())
}

struct Workload {
    random: Random,
    order: usize,
}

impl Workload {
    /// Milliseconds of each append.
    async fn append(&mut self, log: &dyn EventStore, appends: usize) -> anyhow::Result<Vec<f64>> {
        let mut millis = Vec::with_capacity(appends);
        for _ in 0..appends {
            let time = 1_767_225_600_000_000 + self.order as i64;
            let new = event(self.order, 0, time, &mut self.random);
            self.order += 1;
            let begun = Instant::now();
            log.append(vec![new], Vec::new()).await?;
            millis.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(millis)
    }
}

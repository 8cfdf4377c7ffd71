//! From append to visible row, at a steady pace.

use std::time::{Duration, Instant};

use lantern::config::Durability;
use lantern::operations::{Until, run as run_host};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::measure::percentile;
use crate::place::{Place, Store};
use crate::postgres;
use crate::setting::{Setting, component};
use crate::workload::{Random, event};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Events per second.
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
    /// Events in all.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) events: usize,
    #[command(flatten)]
    at: Place,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.at.store {
        Store::Sqlite => run_on_sqlite(arguments).await,
        Store::Postgres => {
            let way = arguments.at.way();
            postgres::latency::run(arguments, way).await
        }
    }
}

/// Appends through one handle of the event store while a host follows through
/// another, as two processes would, and looks into the read model with a
/// connection of its own.
async fn run_on_sqlite(arguments: Arguments) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let host = Setting::open(dir.path(), None, Durability::Full).await?;
    let settings = host.lantern.settings().clone();
    std::fs::create_dir_all(&settings.projectors_dir)?;
    std::fs::write(
        settings.projectors_dir.join("order_totals.wasm"),
        component("order_totals")?,
    )?;
    let (stop, stopped) = watch::channel(false);
    let running =
        tokio::spawn(async move { run_host(&host.lantern, Until::Stopped, stopped).await });

    let writer = Setting::open(dir.path(), None, Durability::Full).await?;
    let rows = Connection::open(&settings.read_store.path)?;
    wait_for_table(&rows).await;
    let mut millis = Vec::new();
    let mut random = Random(7);
    let pause = Duration::from_secs(1) / arguments.rate;
    let mut next = Instant::now();
    for order in 0..arguments.events {
        let time = 1_767_225_600_000_000 + order as i64;
        let new = event(order, 0, time, &mut random);
        let id = new.stream.trim_start_matches("order-").to_owned();
        writer
            .lantern
            .event_store()
            .append(vec![new], Vec::new())
            .await?;
        let appended = Instant::now();
        let mut find = rows.prepare_cached("SELECT 1 FROM order_totals WHERE order_id = ?")?;
        while find.query_row([&id], |_| Ok(())).optional()?.is_none() {
            std::thread::sleep(Duration::from_micros(50));
        }
        millis.push(appended.elapsed().as_secs_f64() * 1e3);
        next += pause;
        tokio::time::sleep_until(next.into()).await;
    }
    stop.send_replace(true);
    running.await??;
    print(&arguments, millis);
    Ok(())
}

/// Prints the percentiles.
pub(crate) fn print(arguments: &Arguments, mut millis: Vec<f64>) {
    millis.sort_by(f64::total_cmp);
    println!(
        "append to visible row at {} events/s, {} events: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        arguments.rate,
        arguments.events,
        percentile(&millis, 0.5),
        percentile(&millis, 0.99),
        percentile(&millis, 1.0)
    );
}

/// Waits until the read model is there.
pub(crate) async fn wait_for_table(rows: &Connection) {
    while rows.prepare("SELECT 1 FROM order_totals").is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Cost per event as the log grows.

use anyhow::ensure;
use lantern::config::{Durability, Pacing};
use lantern::worker::{End, StatusBoard, work};
use tokio::sync::watch;

use crate::measure::Stopwatch;
use crate::setting::{Setting, load};
use crate::workload;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The larger number of orders, each with four events.
    #[arg(long, default_value_t = 500_000)]
    orders: usize,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let projector = load("order_totals")?;
    let mut first = None;
    for orders in [arguments.orders / 10, arguments.orders] {
        let dir = tempfile::tempdir()?;
        let setting = Setting::open(dir.path(), None, Durability::Full).await?;
        workload::append(&*setting.lantern.event_store(), orders).await?;
        let assignment = setting.assignment(&projector, Pacing::default()).await?;
        let (_stop, stopped) = watch::channel(false);
        let stopwatch = Stopwatch::start();
        let end = work(
            &assignment,
            &StatusBoard::new(lantern::config::Update::Immediate),
            stopped,
        )
        .await;
        let took = stopwatch.stop();
        ensure!(end == End::CaughtUp, "the worker ended otherwise: {end:?}");
        let events = orders as u64 * 4;
        let cpu = took.cpu_micros_per_event(events);
        println!(
            "{events:>9} events: {:>8.0} events/s, {cpu:.2} CPU µs/event, {:.2}x the first",
            took.events_per_second(events),
            cpu / *first.get_or_insert(cpu)
        );
    }
    Ok(())
}

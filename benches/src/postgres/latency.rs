//! From append to visible row on PostgreSQL, at a steady pace.

use std::time::{Duration, Instant};

use lantern::operations::{Until, run as run_host};
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;

use super::server::{Server, Way};
use crate::latency::{Arguments, print};
use crate::setting::{Setting, component};
use crate::workload::{Random, event};

const FIND: &str = "SELECT 1 FROM read_models.order_totals WHERE order_id = $1";

/// As on SQLite: one event store appends while a host follows through another, as
/// two processes would, and a connection of its own looks into the read model.
pub(crate) async fn run(arguments: Arguments, way: Way) -> anyhow::Result<()> {
    let server = Server::start(way)?;
    let dir = tempfile::tempdir()?;
    let host = Setting::on_server(&dir.path().join("host"), &server.url()).await?;
    let settings = host.lantern.settings().clone();
    std::fs::create_dir_all(&settings.projectors_dir)?;
    std::fs::write(
        settings.projectors_dir.join("order_totals.wasm"),
        component("order_totals")?,
    )?;
    let (stop, stopped) = watch::channel(false);
    let running =
        tokio::spawn(async move { run_host(&host.lantern, Until::Stopped, stopped).await });

    let writer = Setting::on_server(&dir.path().join("writer"), &server.url()).await?;
    let mut rows = PgConnection::connect(&server.url()).await?;
    while sqlx::query(FIND).bind("").execute(&mut rows).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut millis = Vec::new();
    let mut random = Random(7);
    let pause = Duration::from_secs(1) / arguments.rate;
    let mut next = Instant::now();
    for order in 0..arguments.events {
        let time = 1_767_225_600_000_000 + order as i64;
        let new = event(order, 0, time, &mut random);
        let id = new.stream.trim_start_matches("order-").to_owned();
        let store = writer.lantern.event_store();
        store.append(vec![new], Vec::new()).await?;
        let appended = Instant::now();
        while sqlx::query(FIND)
            .bind(&id)
            .fetch_optional(&mut rows)
            .await?
            .is_none()
        {
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

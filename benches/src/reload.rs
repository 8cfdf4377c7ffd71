//! From a changed component in the folder to its first commit.

use std::time::{Duration, Instant};

use lantern::config::Durability;
use lantern::model::Digest;
use lantern::operations::{Until, run as run_host};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::latency::wait_for_table;
use crate::measure::percentile;
use crate::setting::{Setting, component};
use crate::workload::{Random, event};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often to change the component.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
}

/// Renames a changed component (same version, other bytes) over the one in the
/// folder, waits until it is taken over, appends an event and waits for its row.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let host = Setting::open(dir.path(), None, Durability::Full).await?;
    let settings = host.lantern.settings().clone();
    std::fs::create_dir_all(&settings.projectors_dir)?;
    let file = settings.projectors_dir.join("order_totals.wasm");
    let original = component("order_totals")?;
    std::fs::write(&file, &original)?;
    let (stop, stopped) = watch::channel(false);
    let running =
        tokio::spawn(async move { run_host(&host.lantern, Until::Stopped, stopped).await });
    let other = Setting::open(dir.path(), None, Durability::Full).await?;
    let store = other.lantern.read_store();
    let rows = Connection::open(&settings.read_store.path)?;
    wait_for_table(&rows).await;

    let (mut taken_over, mut first_row) = (Vec::new(), Vec::new());
    let mut random = Random(7);
    for round in 0..arguments.rounds {
        let changed = with_note(&original, &format!("round {round}"));
        let digest = Digest::of(&changed);
        let beside = dir.path().join("changed");
        std::fs::write(&beside, &changed)?;
        let renamed = Instant::now();
        std::fs::rename(&beside, &file)?;
        while store
            .projectors()
            .await?
            .first()
            .and_then(|p| p.live())
            .map(|g| &g.digest)
            != Some(&digest)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        taken_over.push(renamed.elapsed().as_secs_f64() * 1e3);
        let new = event(round, 0, 1_767_225_600_000_000, &mut random);
        let id = new.stream.trim_start_matches("order-").to_owned();
        other
            .lantern
            .event_store()
            .append(vec![new], Vec::new())
            .await?;
        let mut find = rows.prepare_cached("SELECT 1 FROM order_totals WHERE order_id = ?")?;
        while find.query_row([&id], |_| Ok(())).optional()?.is_none() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        first_row.push(renamed.elapsed().as_secs_f64() * 1e3);
    }
    stop.send_replace(true);
    running.await??;
    for (what, millis) in [
        ("recorded as taken over", &mut taken_over),
        ("its first row visible", &mut first_row),
    ] {
        millis.sort_by(f64::total_cmp);
        println!(
            "reload of a {} KiB component, from rename to {what}: median {:.0} ms, max {:.0} ms (debounce {} ms within)",
            original.len() >> 10,
            percentile(millis, 0.5),
            percentile(millis, 1.0),
            settings.watch.debounce.as_millis()
        );
    }
    Ok(())
}

/// The same component with other bytes: a custom section at its end.
fn with_note(component: &[u8], note: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    bytes.push(0);
    bytes.push(5 + note.len() as u8);
    bytes.extend_from_slice(b"\x04note");
    bytes.extend_from_slice(note.as_bytes());
    bytes
}

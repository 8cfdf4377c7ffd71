//! Memory at rest with one projector and with many.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use lantern::config::Durability;
use lantern::operations::{Until, run as run_host};
use tokio::sync::watch;

use crate::setting::{Setting, component};
use crate::workload;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure a host with this many projectors, in this process.
    #[arg(long, hide = true)]
    projectors: Option<usize>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(projectors) = arguments.projectors {
        return measure(projectors).await;
    }
    for projectors in [0, 1, 50] {
        // A process of its own for each, so that nothing is left over.
        let status = Command::new(std::env::current_exe()?)
            .args(["memory", "--projectors", &projectors.to_string()])
            .status()?;
        ensure!(status.success(), "measuring {projectors} projectors failed");
    }
    Ok(())
}

/// Runs a host over 4,000 events and looks at its memory and processor time
/// when it has been at rest for a while.
async fn measure(projectors: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let setting = Setting::open(dir.path(), None, Durability::Normal).await?;
    let settings = setting.lantern.settings().clone();
    workload::append(&*setting.lantern.event_store(), 1_000).await?;
    std::fs::create_dir_all(&settings.projectors_dir)?;
    let original = component("order_totals")?;
    for i in 0..projectors {
        std::fs::write(
            settings.projectors_dir.join(format!("p{i}.wasm")),
            renamed(&original, i),
        )?;
    }
    let store = setting.lantern.read_store();
    let head = setting.lantern.event_store().head().await?;
    let (stop, stopped) = watch::channel(false);
    let running =
        tokio::spawn(async move { run_host(&setting.lantern, Until::Stopped, stopped).await });
    loop {
        let records = store.projectors().await?;
        let there = records
            .iter()
            .filter_map(|record| record.live())
            .filter(|g| g.checkpoint.reaches(&head));
        if there.count() == projectors {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let cpu = cpu_time::ProcessTime::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!(
        "{projectors:>3} projectors at rest: {:>4} MiB resident, {:.2} % of one core",
        resident_kib()? >> 10,
        cpu.elapsed().as_secs_f64() / 5.0 * 100.0
    );
    stop.send_replace(true);
    running.await??;
    Ok(())
}

/// The same component under another name of the same length, tables included.
fn renamed(component: &[u8], number: usize) -> Vec<u8> {
    let (from, to) = (b"order_totals", format!("order_tot{number:03}"));
    let mut bytes = component.to_vec();
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
        at += 1;
    }
    bytes
}

fn resident_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("no VmRSS")?;
    let number = line.split_whitespace().nth(1).context("no number")?;
    Ok(number.parse()?)
}

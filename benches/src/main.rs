//! Lantern's speed, measured beside the alternatives in one run.
//!
//! Every figure in `docs/performance.md` comes from a command of this program.
//! It prints numbers and ratios and asserts results, never times.

mod contestants;
mod fold;
mod inline;
mod latency;
mod measure;
mod memory;
mod phase;
mod place;
mod postgres;
mod reload;
mod scale;
mod setting;
mod throughput;
mod workload;

use clap::{Parser, Subcommand};

/// Measures Lantern.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Events per second and CPU time per event, beside native projectors.
    Throughput(throughput::Arguments),
    /// Where Lantern's time goes on PostgreSQL, stage by stage.
    Stages(postgres::stages::Arguments),
    /// From append to visible row.
    Latency(latency::Arguments),
    /// What an inline projector costs each append.
    Inline(inline::Arguments),
    /// From a changed component in the folder to its first commit.
    Reload(reload::Arguments),
    /// Memory at rest with 1 and with 50 projectors.
    Memory(memory::Arguments),
    /// Cost per event at 200,000 and at 2,000,000 events.
    Scale(scale::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().bench {
        Bench::Throughput(arguments) => throughput::run(arguments).await,
        Bench::Stages(arguments) => postgres::stages::run(arguments).await,
        Bench::Latency(arguments) => latency::run(arguments).await,
        Bench::Inline(arguments) => inline::run(arguments).await,
        Bench::Reload(arguments) => reload::run(arguments).await,
        Bench::Memory(arguments) => memory::run(arguments).await,
        Bench::Scale(arguments) => scale::run(arguments).await,
    }
}

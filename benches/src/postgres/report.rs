//! The table of what contestants took, and how far the goals are reached.

use super::throughput::{Contestant, Cost};
use crate::measure::percentile;

/// The middle of what a contestant took in its rounds.
#[derive(Clone, Copy)]
struct Median {
    events_per_second: f64,
    client: f64,
    server: f64,
    /// The middle of the sums, which is not the sum of the middles.
    both: f64,
}

impl Median {
    fn of(costs: &[Cost]) -> Self {
        let middle = |of: &dyn Fn(&Cost) -> f64| {
            let mut all: Vec<f64> = costs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            percentile(&all, 0.5)
        };
        Self {
            events_per_second: middle(&|c| c.took.events_per_second(c.events as u64)),
            client: middle(&client),
            server: middle(&server),
            both: middle(&|c| client(c) + server(c)),
        }
    }
}

fn client(cost: &Cost) -> f64 {
    cost.took.cpu_micros_per_event(cost.events as u64)
}

fn server(cost: &Cost) -> f64 {
    cost.server.as_secs_f64() * 1e6 / cost.events as f64
}

/// Prints what appending the workload took.
pub(super) fn print_append(cost: &Cost) {
    println!(
        "{} events appended at {:.0} events/s; CPU per event: client {:.2} µs, server {:.2} µs",
        cost.events,
        cost.took.events_per_second(cost.events as u64),
        client(cost),
        server(cost),
    );
}

/// Prints a line for each contestant, and one for each goal.
pub(super) fn print(results: &[(Contestant, Vec<Cost>)]) {
    let medians: Vec<(Contestant, Median)> = results
        .iter()
        .map(|(c, all)| (*c, Median::of(all)))
        .collect();
    let find = |wanted| medians.iter().find(|(c, _)| *c == wanted).map(|(_, m)| *m);
    println!(
        "{:<46} {:>9}  {:>22}  {:>8} {:>8} {:>8}",
        "", "", "CPU µs/event", "", "CPU sum", "CPU sum"
    );
    println!(
        "{:<46} {:>9}  {:>6} {:>7} {:>7}  {:>8} {:>8} {:>8}",
        "", "events/s", "client", "server", "sum", "wall/(b)", "/(b)", "/(d)"
    );
    for (contestant, m) in &medians {
        let mut line = format!(
            "{:<46} {:>9.0}  {:>6.2} {:>7.2} {:>7.2}",
            contestant.name(),
            m.events_per_second,
            m.client,
            m.server,
            m.both
        );
        if let (Some(b), Some(d)) = (find(Contestant::Expert), find(Contestant::Aggregate)) {
            line += &format!(
                "  {:>7.2}x {:>7.2}x {:>7.2}x",
                m.events_per_second / b.events_per_second,
                m.both / b.both,
                m.both / d.both
            );
        }
        println!("{line}");
    }
    if let Some((_, costs)) = results.iter().find(|(c, _)| *c == Contestant::PerEvent)
        && let Some(cost) = costs.first()
    {
        println!(
            "(c) was measured once, on the first {} events.",
            cost.events
        );
    }
    if let (Some(a), Some(rebuild), Some(b), Some(d)) = (
        find(Contestant::CatchUp),
        find(Contestant::Rebuild),
        find(Contestant::Expert),
        find(Contestant::Aggregate),
    ) {
        let faster = a.events_per_second / b.events_per_second;
        goal("CPU sum, (a) / (b)", a.both / b.both, "at most", 0.8);
        goal("wall, (a) / (b)", faster, "at least", 2.0);
        goal("CPU sum, (a') / (d)", rebuild.both / d.both, "at most", 2.0);
    }
}

fn goal(what: &str, ratio: f64, bound: &str, goal: f64) {
    let reached = match bound {
        "at most" => ratio <= goal,
        _ => ratio >= goal,
    };
    let verdict = if reached { "reached" } else { "missed" };
    println!("{what}: {ratio:.2}x, goal {bound} {goal}x: {verdict}");
}

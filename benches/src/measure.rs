//! Time on the clock and on the processor.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// A clock and a processor clock, started together.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: ProcessTime,
}

/// What something took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: ProcessTime::now(),
        }
    }

    pub(crate) fn stop(self) -> Took {
        Took {
            wall: self.wall.elapsed(),
            cpu: self.cpu.elapsed(),
        }
    }
}

impl Took {
    pub(crate) fn events_per_second(&self, events: u64) -> f64 {
        events as f64 / self.wall.as_secs_f64()
    }

    pub(crate) fn cpu_micros_per_event(&self, events: u64) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / events as f64
    }
}

/// The middle of some numbers, which are put in order.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[at]
}

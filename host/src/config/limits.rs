//! How much of everything a component may use.

use std::time::Duration;

/// The limits of one component. Each is named in the error that it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, all memories together. A Python runtime
    /// takes 13 MiB and a JavaScript one up to 48 MiB before the first event;
    /// 128 MiB leaves room for the batch.
    pub memory_bytes: usize,
    /// One batch. Long enough for a slow interpreter on a busy machine, short
    /// enough that an endless loop is noticed in the same half-minute.
    pub batch_time: Duration,
    /// Instantiating and describing. Interpreters start in about a second.
    pub load_time: Duration,
    /// The file. Python components are 18 to 38 MiB.
    pub component_bytes: usize,
    /// What a projector may send to the host in one call, commands above all:
    /// bounds the host's memory, not the projector's.
    pub sent_bytes: usize,
    /// Commands of one batch: twenty-five for each event of a full one.
    pub commands: usize,
    /// Log lines of one batch; the rest is counted and dropped.
    pub log_lines: usize,
    /// Bytes of one log line or panic message; the rest is cut off.
    pub log_line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            batch_time: Duration::from_secs(30),
            load_time: Duration::from_secs(10),
            component_bytes: 64 << 20,
            sent_bytes: 32 << 20,
            commands: 50_000,
            log_lines: 1_000,
            log_line_bytes: 8 << 10,
        }
    }
}

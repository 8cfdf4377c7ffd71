//! One fresh instance: what it may use up, and what it asks of the host.

use wasmtime::{ResourceLimiter, Store};

use super::engine::{Clock, Sandbox, TICK};
use super::error::ProjectError;
use super::limits::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};
use super::{FoundRows, Rows, RowsRefused};
use crate::config::Limits;
use crate::model::{Cells, Commands, EventBatch};
use crate::telemetry::happened;

/// What a command takes besides its values, and a value besides its text.
const COMMAND_BYTES: usize = 32;
const CELL_BYTES: usize = 16;

/// The most frames of a trap that are told.
const MOST_FRAMES: usize = 8;

/// What belongs to one instance while it runs.
pub(super) struct State {
    rows: Box<dyn Rows>,
    limits: Limits,
    projector: String,
    positions: Vec<u64>,
    memory_bytes: usize,
    commands: usize,
    sent_bytes: usize,
    log_lines: usize,
    dropped_lines: usize,
    /// Set when a limit is met, so that the reason survives the trap.
    breach: Option<ProjectError>,
    panic: Option<(u32, String)>,
}

impl State {
    pub(super) fn new(
        projector: &str,
        limits: &Limits,
        events: Option<&EventBatch>,
        rows: Box<dyn Rows>,
    ) -> Self {
        Self {
            rows,
            limits: limits.clone(),
            projector: projector.to_owned(),
            positions: events.map(|e| e.positions.clone()).unwrap_or_default(),
            memory_bytes: 0,
            commands: 0,
            sent_bytes: 0,
            log_lines: 0,
            dropped_lines: 0,
            breach: None,
            panic: None,
        }
    }

    /// Counts the commands of a block, and their bytes, against the limits. The
    /// engine bounds the bytes of one call only; a batch may make many.
    pub(super) fn count_commands(&mut self, commands: &Commands) -> Result<(), ProjectError> {
        self.commands += commands.len();
        if self.commands > self.limits.commands {
            return Err(ProjectError::Limit(format!(
                "the projector made more than {} commands in one batch (limits.commands)",
                self.limits.commands
            )));
        }
        self.count_bytes(&commands.cells, commands.len() * COMMAND_BYTES)
    }

    fn count_bytes(&mut self, cells: &Cells, besides: usize) -> Result<(), ProjectError> {
        self.sent_bytes +=
            cells.texts.len() + cells.bytes.len() + cells.len() * CELL_BYTES + besides;
        if self.sent_bytes > self.limits.sent_bytes {
            return Err(sent_too_much(self.limits.sent_bytes));
        }
        Ok(())
    }

    pub(super) fn get(
        &mut self,
        pending: Commands,
        table: u16,
        count: u32,
        keys: &Cells,
    ) -> wasmtime::Result<FoundRows> {
        let counted = self
            .count_commands(&pending)
            .and_then(|()| self.count_bytes(keys, 0));
        if let Err(breach) = counted {
            return Err(self.end(breach));
        }
        // A key has one value at least, so more keys than values is a lie; asked
        // first, so that it cannot make the host reserve memory.
        let taken = if count as usize > keys.len() {
            Err(ProjectError::Limit(format!(
                "the projector asked for {count} rows and gave {} key values",
                keys.len()
            )))
        } else {
            Ok(())
        };
        if let Err(breach) = taken {
            return Err(self.end(breach));
        }
        let answered = self
            .rows
            .take(pending)
            .and_then(|()| self.rows.get(usize::from(table), count as usize, keys));
        answered.map_err(|RowsRefused| self.end(ProjectError::Refused))
    }

    pub(super) fn log(&mut self, level: tracing::Level, event: u32, message: &str) {
        self.log_lines += 1;
        if self.log_lines > self.limits.log_lines {
            self.dropped_lines += 1;
            return;
        }
        let position = self.positions.get(event as usize).copied();
        let line = self.cut(message).replace('\n', " ");
        happened::guest_said(&self.projector, level, position, &line);
    }

    pub(super) fn panicking(&mut self, event: u32, message: &str) {
        let message = self.cut(message);
        self.panic.get_or_insert((event, message));
    }

    /// Says at the end of a batch how many log lines were dropped.
    pub(super) fn report_dropped_lines(&self) {
        if self.dropped_lines > 0 {
            happened::guest_lines_dropped(&self.projector, self.dropped_lines);
        }
    }

    fn end(&mut self, breach: ProjectError) -> wasmtime::Error {
        let error = wasmtime::Error::msg(breach.to_string());
        self.breach.get_or_insert(breach);
        error
    }

    /// Keeps a message within bounds and off the terminal's control sequences.
    pub(super) fn cut(&self, message: &str) -> String {
        let mut end = message.len().min(self.limits.log_line_bytes);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        let plain = |c: char| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        };
        // Further lines are set in: none may look like one of the host's own.
        message[..end]
            .chars()
            .map(plain)
            .collect::<String>()
            .replace('\n', "\n    ")
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes + desired.saturating_sub(current);
        if total > self.limits.memory_bytes {
            // An error, not a refusal: most runtimes turn a refusal into an abort
            // that says nothing.
            let breach = ProjectError::Limit(format!(
                "the projector asked for {} MiB of memory; the limit is {} MiB (limits.memory_mib)",
                total.div_ceil(1 << 20),
                self.limits.memory_bytes >> 20
            ));
            return Err(self.end(breach));
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > MOST_TABLE_ELEMENTS {
            let breach = ProjectError::Limit(format!(
                "the projector asked for a table of {desired} elements; the most allowed is {MOST_TABLE_ELEMENTS}"
            ));
            return Err(self.end(breach));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}

/// Makes the store of a fresh instance, with every limit armed.
pub(super) fn new_store(
    sandbox: &Sandbox,
    state: State,
    time: std::time::Duration,
) -> Store<State> {
    let sent_bytes = state.limits.sent_bytes;
    let mut store = Store::new(&sandbox.engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(sent_bytes);
    // Two ticks more: the first may come at once, and the clock may have stood.
    store.set_epoch_deadline(time.as_millis().div_ceil(TICK.as_millis()) as u64 + 2);
    store
}

/// Runs something in a store while the clock ticks.
pub(super) fn timed<T>(clock: &Clock, run: impl FnOnce() -> T) -> T {
    let _ticking = clock.tick();
    run()
}

/// Says what a failed call means.
pub(super) fn explain(
    store: &mut Store<State>,
    error: &wasmtime::Error,
    time: std::time::Duration,
    limit: &'static str,
) -> ProjectError {
    let state = store.data_mut();
    state.report_dropped_lines();
    if let Some(breach) = state.breach.take() {
        return breach;
    }
    if let Some((event, message)) = state.panic.take() {
        return ProjectError::Panicked { event, message };
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::Interrupt) => ProjectError::TimedOut {
            seconds: time.as_secs_f64(),
            limit,
        },
        Some(trap) => ProjectError::Trapped {
            trap: trap.to_string(),
            frames: frames(error),
        },
        None => untyped(
            &format!("{:#}", error.root_cause()),
            state.limits.sent_bytes,
            error,
        ),
    }
}

/// The engine reports some breaches only as text.
fn untyped(text: &str, sent_bytes: usize, error: &wasmtime::Error) -> ProjectError {
    if text.contains("too much data is being copied") {
        return sent_too_much(sent_bytes);
    }
    ProjectError::Trapped {
        trap: text.to_owned(),
        frames: frames(error),
    }
}

fn sent_too_much(limit: usize) -> ProjectError {
    ProjectError::Limit(format!(
        "the projector sent more than {} MiB to the host in one batch (limits.sent_mib)",
        limit >> 20
    ))
}

fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<wasmtime::WasmBacktrace>() else {
        return Vec::new();
    };
    let named = backtrace
        .frames()
        .iter()
        .filter_map(|frame| frame.func_name());
    named.take(MOST_FRAMES).map(printable).collect()
}

/// Function names as the component gives them, kept short.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

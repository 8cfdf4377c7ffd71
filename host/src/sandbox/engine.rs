//! The wasmtime engine that all components share, and its clock.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, WasmBacktraceDetails};

use super::error::LoadError;
use super::limits::STACK_BYTES;

/// Where components are compiled and run. One for the whole host.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) clock: Arc<Clock>,
}

/// How often a running guest is looked at. A deadline is met to within two.
pub(super) const TICK: Duration = Duration::from_millis(10);

impl Sandbox {
    /// Sets up the engine. Compiled code is kept in `cache_dir`, keyed by
    /// content, settings and version of the engine; without one, every start
    /// compiles anew.
    ///
    /// The directory must belong to the host's user alone: what is in it is run
    /// as machine code.
    ///
    /// # Errors
    ///
    /// When the directory cannot be used.
    pub fn new(cache_dir: Option<&Path>) -> Result<Self, LoadError> {
        let mut config = deterministic();
        if let Some(dir) = cache_dir {
            config.cache(Some(private_cache(dir)?));
        }
        let engine = Engine::new(&config).map_err(|e| LoadError::Engine(format!("{e:#}")))?;
        let clock = Clock::start(engine.weak());
        Ok(Self { engine, clock })
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// Nothing that a projector computes may depend on the machine or the moment,
/// so that a rebuild gives the same rows anywhere. What projectors do not need
/// is switched off: most of wasmtime's advisories concern those parts.
fn deterministic() -> Config {
    let mut config = Config::new();
    config
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_memory64(false)
        .concurrency_support(false);
    config
}

fn private_cache(dir: &Path) -> Result<Cache, LoadError> {
    let unusable = |e: String| LoadError::Engine(format!("compile cache {}: {e}", dir.display()));
    std::fs::create_dir_all(dir).map_err(|e| unusable(e.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| unusable(e.to_string()))?;
    }
    let absolute = dir.canonicalize().map_err(|e| unusable(e.to_string()))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|e| unusable(format!("{e:#}")))
}

/// Moves the engine's epoch on while any guest runs, so that deadlines are
/// noticed; stands still otherwise, so that a host at rest is at rest.
pub(super) struct Clock {
    running: Mutex<usize>,
    woken: Condvar,
}

/// While it lives, the clock ticks.
pub(super) struct Ticking<'a>(&'a Clock);

impl Clock {
    fn start(engine: EngineWeak) -> Arc<Self> {
        let clock = Arc::new(Self {
            running: Mutex::new(0),
            woken: Condvar::new(),
        });
        let weak = Arc::downgrade(&clock);
        let tick = move || {
            // The thread holds neither engine nor clock while it sleeps, and ends
            // with them.
            while let (Some(clock), Some(engine)) = (weak.upgrade(), engine.upgrade()) {
                clock.wait_for_guest();
                drop(clock);
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        };
        // Without the thread, deadlines would not hold: better not to start.
        std::thread::Builder::new()
            .name("lantern-clock".into())
            .spawn(tick)
            .unwrap_or_else(|e| panic!("cannot start a thread for the guests' clock: {e}"));
        clock
    }

    pub(super) fn tick(&self) -> Ticking<'_> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        if *running == 1 {
            self.woken.notify_all();
        }
        Ticking(self)
    }

    /// Waits a while for a guest to run; returns early when one does.
    fn wait_for_guest(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Not for ever: the thread must notice when the engine is gone.
        let _ = self
            .woken
            .wait_timeout_while(running, Duration::from_secs(1), |running| *running == 0);
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
    }
}

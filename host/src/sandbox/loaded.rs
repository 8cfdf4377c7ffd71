//! A component that has been accepted: what it says, and how it is run.

use std::time::{Duration, Instant};

use wasmtime::component::Component;

use super::engine::Sandbox;
use super::error::{LoadError, ProjectError};
use super::instance::{State, explain, new_store, timed};
use super::versions::Adapter;
use super::world::{self, World};
use super::{FoundRows, Rows, RowsRefused};
use crate::config::Limits;
use crate::model::{Cells, Commands, Description, Digest, EventBatch};

/// A projector ready to run: compiled, linked, described and checked.
pub struct LoadedProjector {
    sandbox: Sandbox,
    adapter: Adapter,
    limits: Limits,
    digest: Digest,
    description: Description,
    facts: ComponentFacts,
}

/// What was learnt about a component while it was loaded.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ComponentFacts {
    /// The size of its file.
    pub bytes: usize,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// How long it took to compile, or to find in the cache.
    pub compile_time: Duration,
    /// How long it took to instantiate and describe.
    pub describe_time: Duration,
}

impl Sandbox {
    /// Takes a component in: checks its size and kind, compiles it, checks its
    /// imports and version, links it, asks it to describe itself in a throw-away
    /// instance, and checks the answer. Blocks.
    ///
    /// # Errors
    ///
    /// The first of these steps that fails, in words for the author.
    pub fn load(&self, bytes: &[u8], limits: &Limits) -> Result<LoadedProjector, LoadError> {
        check_kind(bytes, limits)?;
        let started = Instant::now();
        let component =
            Component::new(&self.engine, bytes).map_err(|e| LoadError::Invalid(first_cause(&e)))?;
        let compile_time = started.elapsed();
        let names = world::names(&component, &self.engine);
        let adapter = match world::identify(&names)? {
            World::V0_1 => Adapter::v0_1(&self.engine, &component),
        }
        .map_err(|e| LoadError::Mismatch(format!("{e:#}")))?;

        let started = Instant::now();
        let description = self.describe(&adapter, limits)?;
        Ok(LoadedProjector {
            sandbox: self.clone(),
            adapter,
            limits: limits.clone(),
            digest: Digest::of(bytes),
            description,
            facts: ComponentFacts {
                bytes: bytes.len(),
                imports: names.imports,
                exports: names.exports,
                compile_time,
                describe_time: started.elapsed(),
            },
        })
    }

    fn describe(&self, adapter: &Adapter, limits: &Limits) -> Result<Description, LoadError> {
        let state = State::new("(loading)", limits, None, Box::new(NoRows));
        let mut store = new_store(self, state, limits.load_time);
        let said = timed(&self.clock, || adapter.describe(&mut store));
        match said {
            Ok(raw) => Ok(raw.check()?),
            Err(e) => {
                let why = explain(&mut store, &e, limits.load_time, "limits.load_ms");
                Err(LoadError::Describe(match why {
                    ProjectError::Refused => ProjectError::Limit(
                        "it asked for rows, which it cannot while it describes itself".into(),
                    ),
                    why => why,
                }))
            }
        }
    }
}

impl LoadedProjector {
    /// What the projector says of itself, checked.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The digest of the component.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What was learnt while it was loaded.
    pub fn facts(&self) -> &ComponentFacts {
        &self.facts
    }

    /// Projects a batch in a fresh instance. Commands made before the
    /// projector read rows have gone to `rows` already; the rest is returned.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// Whatever the component did wrong. Its commands must then be forgotten.
    pub fn project(
        &self,
        events: &EventBatch,
        rows: Box<dyn Rows>,
    ) -> Result<Commands, ProjectError> {
        let limits = &self.limits;
        let state = State::new(self.description.name.as_str(), limits, Some(events), rows);
        let mut store = new_store(&self.sandbox, state, limits.batch_time);
        let answered = timed(&self.sandbox.clock, || {
            self.adapter.project(&mut store, events)
        });
        match answered {
            Ok(Ok(commands)) => {
                store.data().report_dropped_lines();
                store.data_mut().count_commands(&commands)?;
                Ok(commands)
            }
            Ok(Err((event, message))) => {
                store.data().report_dropped_lines();
                let message = store.data().cut(&message);
                Err(ProjectError::Returned { event, message })
            }
            Err(e) => Err(explain(
                &mut store,
                &e,
                limits.batch_time,
                "limits.batch_ms",
            )),
        }
    }
}

impl std::fmt::Debug for LoadedProjector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedProjector")
            .field("name", &self.description.name)
            .field("version", &self.description.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// A projector that is only describing itself has no rows to ask for.
struct NoRows;

impl Rows for NoRows {
    fn take(&mut self, _commands: Commands) -> Result<(), RowsRefused> {
        Err(RowsRefused)
    }

    fn get(
        &mut self,
        _table: usize,
        _count: usize,
        _keys: &Cells,
    ) -> Result<FoundRows, RowsRefused> {
        Err(RowsRefused)
    }
}

/// Looks at the first eight bytes: magic number, version and layer.
fn check_kind(bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    if bytes.len() > limits.component_bytes {
        return Err(LoadError::TooLarge {
            bytes: bytes.len(),
            limit: limits.component_bytes,
        });
    }
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(LoadError::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => Ok(()),
        _ => Err(LoadError::NotWasm),
    }
}

fn first_cause(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}

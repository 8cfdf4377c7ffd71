//! One adapter per released version of the world: past this door nobody asks
//! which version a component was built for.

mod v0_1;

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use super::instance::State;
use crate::model::{Commands, EventBatch, RawDescription};

/// A linked component behind the adapter of its version.
pub(super) enum Adapter {
    V0_1(v0_1::Linked),
}

/// What `project` answers: commands, or an event's index and what is wrong.
pub(super) type Answer = Result<Commands, (u32, String)>;

impl Adapter {
    pub(super) fn v0_1(engine: &Engine, component: &Component) -> wasmtime::Result<Self> {
        v0_1::Linked::new(engine, component).map(Self::V0_1)
    }

    pub(super) fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<RawDescription> {
        match self {
            Adapter::V0_1(linked) => linked.describe(store),
        }
    }

    pub(super) fn project(
        &self,
        store: &mut Store<State>,
        events: &EventBatch,
    ) -> wasmtime::Result<Answer> {
        match self {
            Adapter::V0_1(linked) => linked.project(store, events),
        }
    }
}

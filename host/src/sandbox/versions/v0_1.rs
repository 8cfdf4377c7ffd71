//! `lantern:projector` 0.1: WIT ↔ model. Columns move over without being
//! copied or looked at.

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::Answer;
use crate::model::{
    Cells, ColumnType, Commands, Envelope, EventBatch, IndexKind, RawDescription, RawTable,
};
use crate::sandbox::instance::State;

use wit::exports::lantern::projector::projection as exported;
use wit::lantern::projector::{log, rows, types};

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    reason = "generated from the WIT, and used in this file only"
)]
mod wit {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "projector",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// A component linked against this version.
pub(in crate::sandbox) struct Linked(wit::ProjectorPre<State>);

impl Linked {
    pub(in crate::sandbox) fn new(
        engine: &Engine,
        component: &Component,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        wit::Projector::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
        wit::ProjectorPre::new(linker.instantiate_pre(component)?).map(Self)
    }

    pub(in crate::sandbox) fn describe(
        &self,
        store: &mut Store<State>,
    ) -> wasmtime::Result<RawDescription> {
        let instance = self.0.instantiate(&mut *store)?;
        let said = instance
            .lantern_projector_projection()
            .call_describe(store)?;
        Ok(description(said))
    }

    pub(in crate::sandbox) fn project(
        &self,
        store: &mut Store<State>,
        events: &EventBatch,
    ) -> wasmtime::Result<Answer> {
        let instance = self.0.instantiate(&mut *store)?;
        let type_names: Vec<&str> = events.type_names.iter().map(String::as_str).collect();
        let tenant_names: Vec<&str> = events.tenant_names.iter().map(String::as_str).collect();
        let batch = exported::Batch {
            positions: &events.positions,
            versions: &events.versions,
            times: &events.times,
            types: &events.types,
            type_names: &type_names,
            tenants: &events.tenants,
            tenant_names: &tenant_names,
            data: &events.data,
            data_ends: &events.data_ends,
            binary: &events.binary,
            binary_ends: &events.binary_ends,
            ids: &events.ids,
            id_ends: &events.id_ends,
            streams: &events.streams,
            stream_ends: &events.stream_ends,
            metadata: &events.metadata,
            metadata_ends: &events.metadata_ends,
        };
        let answer = instance
            .lantern_projector_projection()
            .call_project(store, batch)?;
        Ok(answer
            .map(commands)
            .map_err(|failure| (failure.event, failure.message)))
    }
}

impl types::Host for State {}

impl rows::Host for State {
    fn get(
        &mut self,
        pending: rows::Commands,
        table: u16,
        count: u32,
        keys: rows::Cells,
    ) -> wasmtime::Result<rows::Found> {
        let found = State::get(self, commands(pending), table, count, &cells(keys))?;
        Ok(rows::Found {
            present: found.present,
            cells: rows::Cells {
                tags: found.cells.tags,
                integers: found.cells.integers,
                floats: found.cells.floats,
                texts: found.cells.texts,
                text_ends: found.cells.text_ends,
                bytes: found.cells.bytes,
                byte_ends: found.cells.byte_ends,
            },
        })
    }
}

impl log::Host for State {
    fn log(&mut self, level: log::Level, event: u32, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Trace => tracing::Level::TRACE,
            log::Level::Debug => tracing::Level::DEBUG,
            log::Level::Info => tracing::Level::INFO,
            log::Level::Warn => tracing::Level::WARN,
            log::Level::Error => tracing::Level::ERROR,
        };
        State::log(self, level, event, &message);
        Ok(())
    }

    fn panicking(&mut self, event: u32, message: String) -> wasmtime::Result<()> {
        State::panicking(self, event, &message);
        Ok(())
    }
}

fn commands(sent: types::Commands) -> Commands {
    Commands {
        ops: sent.ops,
        tables: sent.tables,
        events: sent.events,
        guards: sent.guards,
        widths: sent.widths,
        columns: sent.columns,
        cells: cells(sent.cells),
    }
}

fn cells(sent: types::Cells) -> Cells {
    Cells {
        tags: sent.tags,
        integers: sent.integers,
        floats: sent.floats,
        texts: sent.texts,
        text_ends: sent.text_ends,
        bytes: sent.bytes,
        byte_ends: sent.byte_ends,
    }
}

fn description(said: types::Description) -> RawDescription {
    RawDescription {
        name: said.name,
        version: said.version,
        wants: [said.wants.types, said.wants.streams, said.wants.tenants],
        needs: Envelope {
            ids: said.needs.ids,
            streams: said.needs.streams,
            metadata: said.needs.metadata,
        },
        tables: said.tables.into_iter().map(table).collect(),
        order: said.order.map(|order| (order.entity, order.version)),
        lookups: said
            .lookups
            .into_iter()
            .map(|lookup| (lookup.table, lookup.types, lookup.key))
            .collect(),
    }
}

fn table(said: types::Table) -> RawTable {
    let index = |index: types::Index| {
        let columns = index.columns.into_iter();
        let columns = columns.map(|part| (part.column, part.path, part.descending));
        (index_kind(index.kind), columns.collect())
    };
    RawTable {
        name: said.name,
        columns: said
            .columns
            .into_iter()
            .map(|column| (column.name, column_type(column.type_), column.nullable))
            .collect(),
        key: said.key,
        indexes: said.indexes.into_iter().map(index).collect(),
        tenant_keyed: said.tenant_keyed,
        stream_keyed: said.stream_keyed,
        guarded: said.guarded,
    }
}

fn index_kind(said: types::IndexKind) -> IndexKind {
    match said {
        types::IndexKind::Ordered => IndexKind::Ordered,
        types::IndexKind::Unique => IndexKind::Unique,
        types::IndexKind::Text => IndexKind::Text,
    }
}

fn column_type(said: types::ColumnType) -> ColumnType {
    match said {
        types::ColumnType::Boolean => ColumnType::Boolean,
        types::ColumnType::Integer => ColumnType::Integer,
        types::ColumnType::Float => ColumnType::Float,
        types::ColumnType::Decimal => ColumnType::Decimal,
        types::ColumnType::Text => ColumnType::Text,
        types::ColumnType::Bytes => ColumnType::Bytes,
        types::ColumnType::Timestamp => ColumnType::Timestamp,
        types::ColumnType::Uuid => ColumnType::Uuid,
        types::ColumnType::Json => ColumnType::Json,
    }
}

//! The tables of known tools, as their current versions make them by default.
//!
//! What each rests on is told in `docs/bring-your-own-event-table.md`.

use std::time::Duration;

use super::mapping::TableMapping;

/// Every preset.
pub(super) const ALL: [fn() -> TableMapping; 7] = [
    marten,
    message_db,
    emmett,
    eventsourcing,
    commanded,
    axon,
    axon_jdbc,
];

pub(super) fn find(name: &str) -> Option<TableMapping> {
    if name == "custom" {
        return Some(TableMapping::custom());
    }
    ALL.iter().map(|make| make()).find(|it| it.name == name)
}

fn set(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Marten (.NET). In its rich append mode it takes sequence numbers in a
/// statement of their own, before the transaction that uses them. No lock shows
/// that, hence the grace: as long as Marten's own daemon waits by default.
fn marten() -> TableMapping {
    TableMapping {
        name: "marten",
        table: set("public.mt_events"),
        position: set("seq_id"),
        stream: set("stream_id"),
        version: set("version"),
        event_type: set("type"),
        id: set("id"),
        tenant: set("CASE WHEN tenant_id = '*DEFAULT*' THEN '' ELSE tenant_id END"),
        time: set("\"timestamp\""),
        data: set("data"),
        metadata_columns: &["headers", "correlation_id", "causation_id", "user_name"],
        // Marten's own projections do not see archived events; a tombstone only
        // says that an append failed.
        filter: set("NOT is_archived AND type <> 'tombstone'"),
        likely_sequences: &["mt_events_sequence"],
        grace: Duration::from_secs(3),
        ..TableMapping::custom()
    }
}

/// Message DB (Eventide).
fn message_db() -> TableMapping {
    TableMapping {
        name: "message-db",
        table: set("message_store.messages"),
        position: set("global_position"),
        stream: set("stream_name"),
        version: set("\"position\""),
        event_type: set("type"),
        id: set("id"),
        time: set("\"time\""),
        data: set("data"),
        metadata: set("metadata"),
        first_version: 0,
        ..TableMapping::custom()
    }
}

/// Emmett (Node.js).
fn emmett() -> TableMapping {
    TableMapping {
        name: "emmett",
        table: set("public.emt_messages"),
        position: set("global_position"),
        stream: set("stream_id"),
        version: set("stream_position"),
        event_type: set("message_type"),
        id: set("message_id"),
        tenant: set("CASE WHEN partition = 'emt:default' THEN '' ELSE partition END"),
        time: set("created"),
        data: set("message_data"),
        metadata: set("message_metadata"),
        // Emmett's own readers do not see archived streams either.
        filter: set("NOT is_archived"),
        likely_sequences: &["emt_global_message_position"],
        ..TableMapping::custom()
    }
}

/// The Python library eventsourcing. Its table is named after the application,
/// so the user names it.
fn eventsourcing() -> TableMapping {
    TableMapping {
        name: "eventsourcing",
        position: set("notification_id"),
        stream: set("originator_id"),
        version: set("originator_version"),
        event_type: set("topic"),
        id: set("originator_id::text || '/' || originator_version"),
        data: set("state"),
        ..TableMapping::custom()
    }
}

/// Commanded's EventStore (Elixir). The position is the version of the stream
/// `$all`, counted up under a row lock: it has no gaps and needs no sequence.
fn commanded() -> TableMapping {
    TableMapping {
        name: "commanded",
        // The condition on `$all` stands in the join, so that whoever looks how
        // far it is safe to read counts those rows only.
        table: set("public.stream_events AS se \
             JOIN public.events AS e ON e.event_id = se.event_id AND se.stream_id = 0 \
             JOIN public.streams AS s ON s.stream_id = se.original_stream_id"),
        position: set("se.stream_version"),
        stream: set("s.stream_uuid"),
        version: set("se.original_stream_version"),
        event_type: set("e.event_type"),
        id: set("e.event_id"),
        time: set("e.created_at"),
        data: set("e.data"),
        metadata: set("e.metadata"),
        sequence: set("none"),
        channel: set("public.events"),
        ..TableMapping::custom()
    }
}

/// Axon Framework 4 with JPA and Spring's naming of columns.
fn axon() -> TableMapping {
    TableMapping {
        name: "axon",
        table: set("public.domain_event_entry"),
        position: set("global_index"),
        stream: set("aggregate_identifier"),
        version: set("sequence_number"),
        event_type: set("payload_type"),
        id: set("event_identifier"),
        time: set("time_stamp"),
        data: set("payload"),
        metadata: set("meta_data"),
        likely_sequences: &["domain_event_entry_seq", "hibernate_sequence"],
        first_version: 0,
        ..TableMapping::custom()
    }
}

/// Axon Framework 4 with JDBC, as its own table factory makes it.
fn axon_jdbc() -> TableMapping {
    TableMapping {
        name: "axon-jdbc",
        table: set("public.domainevententry"),
        position: set("globalindex"),
        stream: set("aggregateidentifier"),
        version: set("sequencenumber"),
        event_type: set("payloadtype"),
        id: set("eventidentifier"),
        time: set("\"timestamp\""),
        metadata: set("metadata"),
        ..axon()
    }
}

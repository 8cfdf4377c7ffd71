//! Every setting once: its key, what it does, and why its default is what it
//! is. The default itself is that of [`Settings`].

use std::path::Path;

use super::field::{Field, SettingValue};
use super::settings::Settings;

/// One setting.
pub struct Setting {
    /// Its key in `lantern.toml`: a table and a name, such as
    /// `limits.memory_mib`.
    pub key: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Why its default is what it is.
    pub reason: &'static str,
    pub(super) field: Field,
}

impl Setting {
    /// The environment variable that sets it: `LANTERN_LIMITS_MEMORY_MIB`.
    pub fn variable(&self) -> String {
        if self.key == "log.filter" {
            // The one people type by hand, hence the short name.
            return "LANTERN_LOG".into();
        }
        format!("LANTERN_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// Whether it can be set for a single projector, too.
    pub fn is_of_projectors(&self) -> bool {
        let section = self.key.split('.').next().unwrap_or_default();
        [
            "batch", "commit", "cache", "retry", "failure", "update", "order",
        ]
        .contains(&section)
    }

    /// Its default.
    pub fn default(&self) -> SettingValue {
        self.field.read(&mut Settings::in_dir(Path::new("")))
    }

    /// Which values are allowed.
    pub fn allowed(&self) -> String {
        self.field.allowed()
    }
}

/// The setting with this key.
pub(super) fn setting(key: &str) -> Option<(usize, &'static Setting)> {
    SETTINGS
        .iter()
        .enumerate()
        .find(|(_, setting)| setting.key == key)
}

/// The longest time that makes sense anywhere: a day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// All settings, in the order in which they are shown. `data_dir` is the first,
/// as the defaults of others lie within it.
pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        doc: "folder for the stores and compiled components",
        reason: "in the current directory, so that one folder is one installation",
        field: Field::Path(|s| &mut s.data_dir),
    },
    Setting {
        key: "projectors_dir",
        doc: "watched folder: a component put here is taken into use",
        reason: "apart from the data, as other people write to it",
        field: Field::Path(|s| &mut s.projectors_dir),
    },
    Setting {
        key: "event_store.path",
        doc: "SQLite file with the events",
        reason: "events.db in data_dir",
        field: Field::Path(|s| &mut s.event_store.path),
    },
    Setting {
        key: "event_store.durability",
        doc: "full: an append survives a power cut; normal: a crash of the process",
        reason: "events are the truth; what was acknowledged must not be lost",
        field: Field::Durability(|s| &mut s.event_store.durability),
    },
    Setting {
        key: "event_store.url",
        doc: "PostgreSQL database with the events, instead of the SQLite file",
        reason: "empty: the embedded store needs no server",
        field: Field::Url(|s| &mut s.event_store.url),
    },
    Setting {
        key: "event_store.schema",
        doc: "schema of Lantern's own event store in that database",
        reason: "a schema of its own keeps out of the way of a team's tables",
        field: Field::Schema(|s| &mut s.event_store.schema),
    },
    Setting {
        key: "event_store.preset",
        doc: "whose event table is read: Lantern's own, that of a known tool, or custom",
        reason: "Lantern's own can be appended to as well",
        field: Field::Preset(|s| &mut s.event_store.table.preset),
    },
    Setting {
        key: "event_store.table",
        doc: "table with its schema, or any SQL that may follow FROM",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.table),
    },
    Setting {
        key: "event_store.position",
        doc: "SQL for the global position, a column with an index",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.position),
    },
    Setting {
        key: "event_store.stream",
        doc: "SQL for the stream",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.stream),
    },
    Setting {
        key: "event_store.version",
        doc: "SQL for the version in the stream",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.version),
    },
    Setting {
        key: "event_store.type",
        doc: "SQL for the event's type",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.event_type),
    },
    Setting {
        key: "event_store.id",
        doc: "SQL for the event's id",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.id),
    },
    Setting {
        key: "event_store.tenant",
        doc: "SQL for the tenant",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.tenant),
    },
    Setting {
        key: "event_store.time",
        doc: "SQL for the time: timestamp or ISO 8601 text",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.time),
    },
    Setting {
        key: "event_store.data",
        doc: "SQL for the payload: json, jsonb, text or bytea",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.data),
    },
    Setting {
        key: "event_store.metadata",
        doc: "SQL for the metadata",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.metadata),
    },
    Setting {
        key: "event_store.filter",
        doc: "SQL condition that events must meet",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.filter),
    },
    Setting {
        key: "event_store.sequence",
        doc: "sequence that gives positions",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.sequence),
    },
    Setting {
        key: "event_store.channel",
        doc: "channel on which appends are announced with NOTIFY",
        reason: "empty: as the preset says",
        field: Field::Text(|s| &mut s.event_store.table.channel),
    },
    Setting {
        key: "event_store.first_version",
        doc: "version of a stream's first event",
        reason: "empty: as the preset says",
        field: Field::OfPreset(|s| &mut s.event_store.table.first_version, 0..=1),
    },
    Setting {
        key: "event_store.gaps",
        doc: "prove: a missing position is passed when nobody can fill it any more; ignore: at once",
        reason: "an event that commits late is never skipped; ignore is for a single writer",
        field: Field::Gaps(|s| &mut s.event_store.table.gaps),
    },
    Setting {
        key: "event_store.gap_grace_ms",
        doc: "how old a missing position must be before it is passed, besides the proof",
        reason: "empty: as the preset says; above 0 for writers that take positions before their transaction begins",
        field: Field::OfPreset(|s| &mut s.event_store.table.gap_grace_ms, 0..=DAY_MS),
    },
    Setting {
        key: "read_store.path",
        doc: "SQLite file with the read models and their checkpoints",
        reason: "read.db in data_dir; a file of its own, so that projectors and appends do not meet; the events' file for inline ones",
        field: Field::Path(|s| &mut s.read_store.path),
    },
    Setting {
        key: "read_store.durability",
        doc: "full: a commit survives a power cut; normal: a crash of the process",
        reason: "rows and checkpoint go together, so what a power cut takes is projected again",
        field: Field::Durability(|s| &mut s.read_store.durability),
    },
    Setting {
        key: "read_store.url",
        doc: "PostgreSQL database with the read models, instead of the SQLite file",
        reason: "empty: the embedded store needs no server",
        field: Field::Url(|s| &mut s.read_store.url),
    },
    Setting {
        key: "read_store.schema",
        doc: "schema of the read models and of what Lantern records about them",
        reason: "a schema of its own, so that no read model can meet a team's table",
        field: Field::Schema(|s| &mut s.read_store.schema),
    },
    Setting {
        key: "read_store.lock_wait_ms",
        doc: "how long a swap waits for readers; others may wait behind it for as long",
        reason: "short enough for a request, long enough for most queries to end; it is tried again",
        field: Field::Milliseconds(|s| &mut s.read_store.lock_wait, 1..=60_000),
    },
    Setting {
        key: "read_store.lease_ms",
        doc: "how long a silent host keeps its projectors before another takes over",
        reason: "five missed heartbeats: a pause is forgiven, a dead host is not waited for long",
        field: Field::Milliseconds(|s| &mut s.read_store.lease, 500..=600_000),
    },
    Setting {
        key: "postgres.connections",
        doc: "most connections to one PostgreSQL database",
        reason: "a projector needs one only while it reads or commits; many share a few",
        field: Field::Count(|s| &mut s.postgres_connections, 4..=1000),
    },
    Setting {
        key: "limits.memory_mib",
        doc: "linear memory of one component instance, all memories together",
        reason: "a JavaScript runtime takes up to 48 MiB before the first event; the rest is for the batch",
        field: Field::Mebibytes(|s| &mut s.limits.memory_bytes, 1..=4096),
    },
    Setting {
        key: "limits.batch_ms",
        doc: "time a projector may take for one batch",
        reason: "long enough for a slow interpreter, short enough to notice an endless loop",
        field: Field::Milliseconds(|s| &mut s.limits.batch_time, 10..=DAY_MS),
    },
    Setting {
        key: "limits.load_ms",
        doc: "time for instantiating and describing a component",
        reason: "interpreters start in about a second",
        field: Field::Milliseconds(|s| &mut s.limits.load_time, 10..=DAY_MS),
    },
    Setting {
        key: "limits.component_mib",
        doc: "size of a component's file",
        reason: "Python components are 18 to 38 MiB",
        field: Field::Mebibytes(|s| &mut s.limits.component_bytes, 1..=1024),
    },
    Setting {
        key: "limits.sent_mib",
        doc: "what a projector may send to the host in one call",
        reason: "bounds the host's memory; far above the commands of a full batch",
        field: Field::Mebibytes(|s| &mut s.limits.sent_bytes, 1..=1024),
    },
    Setting {
        key: "limits.commands",
        doc: "commands of one batch",
        reason: "twenty-five for each event of a full batch",
        field: Field::Count(|s| &mut s.limits.commands, 1..=10_000_000),
    },
    Setting {
        key: "limits.log_lines",
        doc: "log lines of one batch; the rest is counted and dropped",
        reason: "more than anybody reads of one batch",
        field: Field::Count(|s| &mut s.limits.log_lines, 0..=1_000_000),
    },
    Setting {
        key: "limits.log_line_kib",
        doc: "length of one log line or panic message; the rest is cut off",
        reason: "holds a deep backtrace",
        field: Field::Kibibytes(|s| &mut s.limits.log_line_bytes, 1..=1024),
    },
    Setting {
        key: "batch.events",
        doc: "events handed to a projector at once",
        reason: "the least dear of 500 to 4,000: every batch pays for a fresh instance and for its memory",
        field: Field::Count(|s| &mut s.projectors.pacing.batch_events, 1..=100_000),
    },
    Setting {
        key: "batch.kib",
        doc: "payload handed to a projector at once; one event goes even if larger",
        reason: "bounds what a batch of large events copies into the sandbox",
        field: Field::Kibibytes(|s| &mut s.projectors.pacing.batch_bytes, 1..=(1 << 20)),
    },
    Setting {
        key: "commit.rows",
        doc: "changed rows that are worth a commit while catching up",
        reason: "by then the fixed cost of a commit no longer shows",
        field: Field::Count(|s| &mut s.projectors.pacing.commit_rows, 1..=10_000_000),
    },
    Setting {
        key: "commit.mib",
        doc: "gathered values that force a commit",
        reason: "bounds the memory of a projector with large rows",
        field: Field::Mebibytes(|s| &mut s.projectors.pacing.commit_bytes, 1..=4096),
    },
    Setting {
        key: "commit.interval_ms",
        doc: "longest time that changes are gathered before a commit",
        reason: "what a reader waits at most while a projector catches up",
        field: Field::Milliseconds(|s| &mut s.projectors.pacing.commit_interval, 1..=DAY_MS),
    },
    Setting {
        key: "commit.fill_mib",
        doc: "gathered values that force a commit while a rebuild first fills its tables (PostgreSQL)",
        reason: "some hundred thousand rows, each written once however often it changes",
        field: Field::Mebibytes(|s| &mut s.projectors.pacing.fill_bytes, 1..=(64 << 10)),
    },
    Setting {
        key: "cache.mib",
        doc: "rows remembered for each projector",
        reason: "some hundred thousand rows, which is most of what is still changing",
        field: Field::Mebibytes(|s| &mut s.projectors.pacing.cache_bytes, 1..=(64 << 10)),
    },
    Setting {
        key: "retry.first_ms",
        doc: "first pause before something that failed is tried again; it doubles",
        reason: "a locked file is free again within it",
        field: Field::Milliseconds(|s| &mut s.projectors.pacing.retry_first, 1..=DAY_MS),
    },
    Setting {
        key: "retry.most_ms",
        doc: "longest pause before something that failed is tried again",
        reason: "spares what is in trouble, yet notices within half a minute that it is well",
        field: Field::Milliseconds(|s| &mut s.projectors.pacing.retry_most, 1..=DAY_MS),
    },
    Setting {
        key: "failure.live",
        doc: "what becomes of an event that a projector cannot project: it stops, or quarantines the stream",
        reason: "rows that lack a stream are wrong rows; who can live with them says so",
        field: Field::OnFailure(|s| &mut s.projectors.failure.live),
    },
    Setting {
        key: "failure.rebuild",
        doc: "the same while a rebuild fills its tables",
        reason: "readers have the old rows, so nothing is lost by waiting for a better version",
        field: Field::OnFailure(|s| &mut s.projectors.failure.rebuild),
    },
    Setting {
        key: "failure.live_retries",
        doc: "how often an event is tried again before it counts as failed",
        reason: "a component is the same every time, but for the time a busy machine gives it",
        field: Field::Count(|s| &mut s.projectors.failure.live_retries, 0..=100),
    },
    Setting {
        key: "failure.rebuild_retries",
        doc: "the same while a rebuild fills its tables",
        reason: "nobody waits for it, and whoever rebuilds wants to know at once",
        field: Field::Count(|s| &mut s.projectors.failure.rebuild_retries, 0..=100),
    },
    Setting {
        key: "failure.most_dead_letters",
        doc: "dead letters of one projector; at the next one it stops",
        reason: "so many do not come from a bad event but from a bad projector",
        field: Field::Count(
            |s| &mut s.projectors.failure.most_dead_letters,
            1..=1_000_000,
        ),
    },
    Setting {
        key: "update.strategy",
        doc: "when a live projector works: immediate, batched (enough events or time), scheduled (by the clock), inline (within each append)",
        reason: "readers see an event within milliseconds; what may lag is for its users to say",
        field: Field::Strategy(|s| &mut s.projectors.update.strategy),
    },
    Setting {
        key: "update.interval_ms",
        doc: "batched: longest time from one round to the next",
        reason: "a minute: long enough to gather, short enough for a dashboard",
        field: Field::Milliseconds(|s| &mut s.projectors.update.interval, 100..=DAY_MS),
    },
    Setting {
        key: "update.events",
        doc: "batched: events that begin a round sooner, all of the log counted",
        reason: "half a batch: by then the fixed cost of a round no longer shows",
        field: Field::Count(|s| &mut s.projectors.update.events, 1..=100_000_000),
    },
    Setting {
        key: "update.schedule",
        doc: "scheduled: cron expression (minute, hour, day, month, weekday; a field for seconds may come first)",
        reason: "empty: there is no time that suits all",
        field: Field::Schedule(|s| &mut s.projectors.update.schedule),
    },
    Setting {
        key: "update.time_zone",
        doc: "scheduled: time zone of the schedule, by its IANA name",
        reason: "it has no summer time, and means the same on every machine",
        field: Field::Zone(|s| &mut s.projectors.update.time_zone),
    },
    Setting {
        key: "order.most_waiting",
        doc: "events of one projector that wait for strict order; when there are more it stops",
        reason: "so many do not wait for a late event but for one that was lost",
        field: Field::Count(|s| &mut s.projectors.order.most_waiting, 1..=1_000_000),
    },
    Setting {
        key: "watch.debounce_ms",
        doc: "how long a file must be left alone before it is taken",
        reason: "a linker or a copy writes without such a break, and a person does not feel it",
        field: Field::Milliseconds(|s| &mut s.watch.debounce, 1..=60_000),
    },
    Setting {
        key: "watch.rescan_ms",
        doc: "how often the folder is read whole, whatever the system announces",
        reason: "network and container file systems announce nothing; reading a folder costs nothing",
        field: Field::Milliseconds(|s| &mut s.watch.rescan, 100..=DAY_MS),
    },
    Setting {
        key: "log.filter",
        doc: "what is logged: a level, or directives such as info,lantern::worker=debug",
        reason: "what happens, without how (commands other than `run` log warnings only)",
        field: Field::LogFilter(|s| &mut s.log.filter),
    },
    Setting {
        key: "log.format",
        doc: "human, or json with one object a line",
        reason: "the first reader is a person",
        field: Field::LogFormat(|s| &mut s.log.format),
    },
];

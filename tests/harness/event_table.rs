//! Event tables of known tools, appended to as the tools do it.

use lantern_test_servers::{QueryError, Session};

use super::chance::Chance;
use super::places::root;

/// A tool's event table. What is known of it here is written down apart from
/// the product's presets, which are what is tested.
#[derive(Debug)]
pub(crate) struct EventTable {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// The folder in `tests/event_tables`; empty for Lantern's own.
    folder: &'static str,
    /// The statements of an append.
    append: Append,
    /// Lines of `lantern.toml`.
    pub(crate) settings: &'static str,
    /// Whether the tool lets one transaction append at a time.
    pub(crate) one_at_a_time: bool,
    /// All events as `id, stream, version` (from 1) and `position`.
    pub(crate) truth: &'static str,
}

#[derive(Debug)]
enum Append {
    /// The statements in a file of the folder.
    File(&'static str),
    /// The same, with numbers that a first file gives, in a transaction of its own.
    Numbered(&'static str, &'static str),
    /// These statements.
    Text(&'static str),
}

/// An append of some events to a stream.
#[derive(Debug)]
pub(crate) struct Statements {
    /// To be run before the transaction, for numbers; often none.
    before: Option<String>,
    /// To be run in the transaction.
    within: String,
}

pub(crate) const LANTERN: EventTable = EventTable {
    name: "lantern",
    folder: "",
    append: Append::Text(
        "SELECT last_position FROM lantern_events.lantern_append($1, (\
             SELECT jsonb_agg(jsonb_build_object('id', e.id, 'type', e.type, 'data', e.data::jsonb) ORDER BY e.n) \
             FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (id, type, data, n)), $2)",
    ),
    settings: "",
    one_at_a_time: false,
    truth: "SELECT id, stream, version, position FROM lantern_events.lantern_event_log",
};

const MARTEN_EVENTS: &str = "SELECT id::text AS id, stream_id::text AS stream, version, seq_id AS position \
                             FROM public.mt_events";

pub(crate) const MARTEN: EventTable = EventTable {
    name: "marten",
    folder: "marten",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"marten\"",
    one_at_a_time: false,
    truth: MARTEN_EVENTS,
};

/// Marten takes numbers before the transaction that uses them.
pub(crate) const MARTEN_RICH: EventTable = EventTable {
    name: "marten (rich append)",
    folder: "marten",
    append: Append::Numbered("append_rich_numbers.sql", "append_rich.sql"),
    settings: "event_store.preset = \"marten\"",
    one_at_a_time: false,
    truth: MARTEN_EVENTS,
};

pub(crate) const MESSAGE_DB: EventTable = EventTable {
    name: "message-db",
    folder: "message-db",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"message-db\"",
    one_at_a_time: true,
    truth: "SELECT id::text AS id, stream_name AS stream, position + 1 AS version, \
            global_position AS position FROM message_store.messages",
};

pub(crate) const EMMETT: EventTable = EventTable {
    name: "emmett",
    folder: "emmett",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"emmett\"",
    one_at_a_time: false,
    truth: "SELECT message_id AS id, stream_id AS stream, stream_position AS version, \
            global_position AS position FROM public.emt_messages",
};

pub(crate) const EVENTSOURCING: EventTable = EventTable {
    name: "eventsourcing",
    folder: "eventsourcing",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"eventsourcing\"\nevent_store.table = \"public.school_events\"",
    one_at_a_time: true,
    truth: "SELECT originator_id || '/' || originator_version AS id, originator_id::text AS stream, \
            originator_version AS version, notification_id AS position FROM public.school_events",
};

pub(crate) const COMMANDED: EventTable = EventTable {
    name: "commanded",
    folder: "commanded",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"commanded\"",
    one_at_a_time: true,
    truth: "SELECT l.event_id::text AS id, s.stream_uuid AS stream, \
            l.original_stream_version AS version, l.stream_version AS position \
            FROM public.stream_events l JOIN public.streams s ON s.stream_id = l.original_stream_id \
            WHERE l.stream_id = 0",
};

pub(crate) const AXON: EventTable = EventTable {
    name: "axon",
    folder: "axon",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"axon\"",
    one_at_a_time: false,
    truth: "SELECT event_identifier AS id, aggregate_identifier AS stream, \
            sequence_number + 1 AS version, global_index AS position FROM public.domain_event_entry",
};

pub(crate) const AXON_JDBC: EventTable = EventTable {
    name: "axon-jdbc",
    folder: "axon-jdbc",
    append: Append::File("append.sql"),
    settings: "event_store.preset = \"axon-jdbc\"",
    one_at_a_time: false,
    truth: "SELECT eventidentifier AS id, aggregateidentifier AS stream, \
            sequencenumber + 1 AS version, globalindex AS position FROM public.domainevententry",
};

impl EventTable {
    /// What makes the table, as the tool does; nothing for Lantern's own, which
    /// the host makes.
    pub(crate) fn schema(&self) -> String {
        match self.folder {
            "" => String::new(),
            _ => self.file("schema.sql"),
        }
    }

    /// A stream's name, such as this tool takes.
    pub(crate) fn stream(&self, chance: &mut Chance) -> String {
        let name = uuid(chance);
        match self.folder {
            // It begins with its category.
            "message-db" => format!("thing-{name}"),
            _ => name,
        }
    }

    /// How many events a stream has, as its writer sees it.
    pub(crate) fn version(&self, session: &Session, stream: &str) -> Result<u64, QueryError> {
        let truth = self.truth;
        let rows = session.try_query(&format!(
            "SELECT coalesce(max(version), 0) FROM ({truth}) truth WHERE stream = '{stream}'"
        ))?;
        let version = rows.into_iter().flatten().flatten().next();
        Ok(version
            .and_then(|version| version.parse().ok())
            .expect("a maximum has one row"))
    }

    /// An append of new events to a stream that has so many.
    pub(crate) fn statements(
        &self,
        chance: &mut Chance,
        stream: &str,
        version: u64,
        count: u64,
    ) -> Statements {
        let list = |each: &mut dyn FnMut(u64) -> String| {
            let items: Vec<String> = (0..count).map(|i| format!("'{}'", each(i))).collect();
            format!("ARRAY[{}]", items.join(","))
        };
        let arguments = [
            format!("'{stream}'"),
            version.to_string(),
            list(&mut |_| uuid(chance)),
            list(&mut |_| "thing.happened".to_owned()),
            list(&mut |i| format!("{{\"n\": {}}}", version + i)),
        ];
        let filled = |text: &str| {
            let places = (1..).zip(&arguments);
            places.fold(text.to_owned(), |text, (n, argument)| {
                text.replace(&format!("${n}"), argument)
            })
        };
        let (before, within) = match self.append {
            Append::File(file) => (None, self.file(file)),
            Append::Numbered(before, file) => (Some(self.file(before)), self.file(file)),
            Append::Text(text) => (None, text.to_owned()),
        };
        Statements {
            before: before.as_deref().map(filled),
            within: filled(&within),
        }
    }

    fn file(&self, name: &str) -> String {
        let path = root()
            .join("tests/event_tables")
            .join(self.folder)
            .join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Statements {
    /// Runs the append within a transaction that the caller begins by `begin` and
    /// ends. Says whether the tool took it; some say no, others fail.
    pub(crate) fn run(&self, session: &Session, begin: &str) -> Result<bool, QueryError> {
        let mut within = self.within.clone();
        if let Some(before) = &self.before {
            let rows = session.try_query(before)?;
            let numbers = rows.into_iter().flatten().flatten().next();
            let numbers = format!("'{}'", numbers.unwrap_or_default());
            within = within.replace("$6", &numbers);
        }
        session.try_query(begin)?;
        let rows = session.try_query(&within)?;
        Ok(rows
            .iter()
            .flatten()
            .all(|value| value.as_deref() != Some("f")))
    }
}

fn uuid(chance: &mut Chance) -> String {
    let (high, low) = (chance.number(0..u64::MAX), chance.number(0..u64::MAX));
    let hex = format!("{high:016x}{low:016x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}

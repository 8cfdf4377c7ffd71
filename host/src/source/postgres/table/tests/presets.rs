//! Each tool's table, appended to in the tool's own way.

use super::*;
use crate::model::Timestamp;

pub(super) struct Tool {
    pub(super) preset: &'static str,
    pub(super) schema: &'static str,
    pub(super) append: &'static str,
    /// Metadata as it must arrive.
    metadata: &'static str,
    has_time: bool,
    /// Whether the tool makes appends wait for one another.
    is_serial: bool,
}

macro_rules! tool {
    ($preset:literal, $file:literal, $metadata:literal, $has_time:literal, $is_serial:literal) => {
        Tool {
            preset: $preset,
            schema: include_str!(concat!(
                "../../../../../../tests/event_tables/",
                $preset,
                "/schema.sql"
            )),
            append: include_str!(concat!(
                "../../../../../../tests/event_tables/",
                $preset,
                "/",
                $file
            )),
            metadata: $metadata,
            has_time: $has_time,
            is_serial: $is_serial,
        }
    };
}

pub(super) const TOOLS: [Tool; 8] = [
    tool!(
        "marten",
        "append.sql",
        r#"{"correlation_id":"marten"}"#,
        true,
        false
    ),
    tool!(
        "message-db",
        "append.sql",
        r#"{"by": "message-db"}"#,
        true,
        false
    ),
    tool!("emmett", "append.sql", r#"{"by": "emmett"}"#, true, false),
    tool!("eventsourcing", "append.sql", "", false, true),
    tool!("eventsourcing", "append_function.sql", "", false, false),
    tool!(
        "commanded",
        "append.sql",
        r#"{"by": "commanded"}"#,
        true,
        true
    ),
    tool!("axon", "append.sql", r#"{"by": "axon"}"#, true, false),
    tool!(
        "axon-jdbc",
        "append.sql",
        r#"{"by": "axon-jdbc"}"#,
        true,
        false
    ),
];

impl Tool {
    pub(super) fn mapping(&self) -> TableMapping {
        let mut mapping = TableMapping::preset(self.preset).unwrap();
        if self.preset == "eventsourcing" {
            mapping.table = Some("public.school_events".into());
        }
        // Marten's is for its rich mode; these are quick appends.
        mapping.grace = Duration::ZERO;
        mapping
    }

    /// A stream of a category of its own, since Message DB locks categories.
    pub(super) fn stream(&self, number: u128) -> String {
        match self.preset {
            "message-db" => format!("thing{number}-{number}"),
            _ => stream(number),
        }
    }

    fn id(&self, id: u128, stream: u128, version: u64) -> String {
        match self.preset {
            "eventsourcing" => format!("{}/{version}", self.stream(stream)),
            _ => written(id, "").id,
        }
    }
}

#[test]
fn every_preset_is_known_by_its_name() {
    let names: Vec<&str> = TableMapping::names().collect();
    for tool in &TOOLS {
        assert!(names.contains(&tool.preset));
        assert_eq!(tool.mapping().name, tool.preset);
    }
    assert_eq!(
        TableMapping::preset("custom").unwrap(),
        TableMapping::custom()
    );
    assert!(TableMapping::preset("nope").is_none());
}

#[test]
fn every_column_arrives_as_it_was_appended() {
    for tool in &TOOLS {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let begun = Timestamp::now().0 - 5_000_000;
        let two = [written(1, "thing.made"), written(2, "thing.changed")];
        bench.append(tool.append, &tool.stream(1), 0, &two);
        bench.append(tool.append, &tool.stream(2), 0, &[written(3, "thing.made")]);
        bench.append(tool.append, &tool.stream(1), 2, &[written(4, "thing.gone")]);

        let source = bench.open(tool.mapping()).unwrap();
        let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
        let name = tool.preset;
        assert_eq!(batch.positions, [1, 2, 3, 4], "{name}");
        assert_eq!(batch.versions, [1, 2, 1, 3], "{name}");
        let types: Vec<&str> = (0..4).map(|i| batch.event_type(i)).collect();
        assert_eq!(
            types,
            ["thing.made", "thing.changed", "thing.made", "thing.gone"],
            "{name}"
        );
        let (one, other) = (tool.stream(1), tool.stream(2));
        assert_eq!(
            pieces(&batch.streams, &batch.stream_ends),
            [one.clone(), one.clone(), other, one],
            "{name}"
        );
        assert_eq!(
            pieces(&batch.ids, &batch.id_ends),
            [
                tool.id(1, 1, 1),
                tool.id(2, 1, 2),
                tool.id(3, 2, 1),
                tool.id(4, 1, 3)
            ],
            "{name}"
        );
        assert_eq!(batch.tenant_names, [""], "{name}");
        assert!(batch.binary_ends.is_empty(), "{name}");
        for (i, data) in pieces(&batch.data, &batch.data_ends).iter().enumerate() {
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            assert_eq!(data, serde_json::json!({"n": i + 1, "é": "it's"}), "{name}");
        }
        assert_eq!(
            pieces(&batch.metadata, &batch.metadata_ends),
            [tool.metadata; 4],
            "{name}"
        );
        let times = begun..Timestamp::now().0 + 5_000_000;
        assert!(
            batch.times.iter().all(|time| match tool.has_time {
                true => times.contains(time),
                false => *time == 0,
            }),
            "{name}: {:?}",
            batch.times
        );
    }
}

#[test]
fn filters_let_through_what_they_say() {
    for tool in &TOOLS {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let (one, other) = (tool.stream(1), tool.stream(2));
        bench.append(tool.append, &one, 0, &[written(1, "a"), written(2, "b.x")]);
        bench.append(
            tool.append,
            &other,
            0,
            &[written(3, "b.y"), written(4, "a")],
        );
        let source = bench.open(tool.mapping()).unwrap();
        let read = |filter: &EventFilter| page(&source, filter, &Checkpoint::start()).positions;
        let name = tool.preset;
        assert_eq!(read(&types(&["a"])), [1, 4], "{name}");
        assert_eq!(read(&types(&["b.*"])), [2, 3], "{name}");
        assert_eq!(read(&types(&["b.y", "c", "c.*"])), [3], "{name}");
        let streams = |list: &[&str]| EventFilter {
            streams: patterns(list),
            ..EventFilter::default()
        };
        assert_eq!(read(&streams(&[&other])), [3, 4], "{name}");
        let beginning = format!("{}*", &one[..4]);
        let begun = match one[..4] == other[..4] {
            true => vec![1, 2, 3, 4],
            false => vec![1, 2],
        };
        assert_eq!(read(&streams(&[&beginning])), begun, "{name}");
        let tenants = |list: &[&str]| EventFilter {
            tenants: patterns(list),
            ..EventFilter::default()
        };
        assert_eq!(read(&tenants(&["*"])), [1, 2, 3, 4], "{name}");
        assert!(read(&tenants(&["acme"])).is_empty(), "{name}");
    }
}

#[test]
fn a_late_commit_is_waited_for() {
    for tool in TOOLS.iter().filter(|tool| !tool.is_serial) {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let source = bench.open(tool.mapping()).unwrap();
        let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
        let mut at = Checkpoint::start();

        let late = bench.database.session();
        late.run("BEGIN");
        late.run(&filled(tool.append, &tool.stream(1), 0, &[written(1, "a")]));
        bench.append(tool.append, &tool.stream(2), 0, &[written(2, "b")]);
        let name = tool.preset;
        for _ in 0..5 {
            let early = read_on(&mut *reader, &mut at, PAGE);
            assert!(early.is_empty(), "{name} brought {early:?}");
        }
        assert!(source.held_back().is_some(), "{name}");
        late.run("COMMIT");
        let mut all = Vec::new();
        eventually(name, || {
            all.extend(read_on(&mut *reader, &mut at, PAGE));
            (all.len() == 2).then_some(())
        });
        assert_eq!(all, [tool.id(1, 1, 1), tool.id(2, 2, 1)], "{name}");
    }
}

#[test]
fn a_rollback_is_passed_and_written_down() {
    for tool in TOOLS.iter().filter(|tool| tool.preset != "commanded") {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let source = bench.open(tool.mapping()).unwrap();
        let mut reader = source.reader(&EventFilter::default(), ALL).unwrap();
        let mut at = Checkpoint::start();
        bench.append(tool.append, &tool.stream(1), 0, &[written(1, "a")]);
        assert_eq!(read_on(&mut *reader, &mut at, PAGE).len(), 1);

        let sql = filled(tool.append, &tool.stream(2), 0, &[written(2, "b")]);
        bench.database.run(&format!("BEGIN; {sql} ROLLBACK;"));
        bench.append(tool.append, &tool.stream(3), 0, &[written(3, "c")]);
        let name = tool.preset;
        let found = eventually(name, || {
            let found = read_on(&mut *reader, &mut at, PAGE);
            (!found.is_empty()).then_some(found)
        });
        assert_eq!(found, [tool.id(3, 3, 1)], "{name}");
        let passed = bench.passed.0.lock().unwrap();
        assert_eq!((passed[0].from.0, passed[0].to.0), (2, 2), "{name}");
    }
}

#[test]
fn streams_are_listed_with_their_versions() {
    use crate::source::EventStore;
    for tool in &TOOLS {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let (one, other) = (tool.stream(1), tool.stream(2));
        bench.append(tool.append, &one, 0, &[written(1, "a"), written(2, "b")]);
        bench.append(tool.append, &other, 0, &[written(3, "a")]);
        let source = bench.open(tool.mapping()).unwrap();
        let list = |prefix: &str, limit| {
            let found = bench.runtime.block_on(source.streams(prefix, limit));
            let shown = |info: crate::source::StreamInfo| (info.stream, info.version);
            found.unwrap().into_iter().map(shown).collect::<Vec<_>>()
        };
        let both = [(one.clone(), 2), (other.clone(), 1)];
        assert_eq!(list("", 10), both, "{}", tool.preset);
        assert_eq!(list("", 1), both[..1], "{}", tool.preset);
        assert_eq!(list(&other, 10), both[1..], "{}", tool.preset);
        assert!(list("%", 10).is_empty(), "{}", tool.preset);
    }
}

#[test]
fn what_the_tool_hides_is_left_out() {
    for (preset, hide) in [
        (
            "marten",
            "UPDATE mt_events SET is_archived = true WHERE seq_id = 1; \
                    UPDATE mt_events SET type = 'tombstone' WHERE seq_id = 2",
        ),
        (
            "emmett",
            "UPDATE emt_messages SET is_archived = true WHERE global_position < 3",
        ),
    ] {
        let tool = TOOLS.iter().find(|tool| tool.preset == preset).unwrap();
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let three = [written(1, "a"), written(2, "b"), written(3, "c")];
        bench.append(tool.append, &tool.stream(1), 0, &three);
        bench.database.run(hide);
        let source = bench.open(tool.mapping()).unwrap();
        assert_eq!(
            read_all(&source, &EventFilter::default()),
            [tool.id(3, 1, 3)],
            "{preset}"
        );
        let mut bare = tool.mapping();
        bare.filter = Some(String::new());
        let source = bench.open(bare).unwrap();
        assert_eq!(
            read_all(&source, &EventFilter::default()).len(),
            3,
            "{preset}"
        );
    }
}

#[test]
fn tenants_of_the_tools_are_tenants() {
    for (preset, move_over) in [
        (
            "marten",
            "UPDATE mt_events SET tenant_id = 'acme' WHERE seq_id = 1",
        ),
        (
            "emmett",
            "CREATE TABLE other PARTITION OF emt_messages FOR VALUES IN ('acme'); \
                    UPDATE emt_messages SET partition = 'acme' WHERE global_position = 1",
        ),
    ] {
        let tool = TOOLS.iter().find(|tool| tool.preset == preset).unwrap();
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        bench.append(
            tool.append,
            &tool.stream(1),
            0,
            &[written(1, "a"), written(2, "b")],
        );
        bench.database.run(move_over);
        let source = bench.open(tool.mapping()).unwrap();
        let batch = page(&source, &EventFilter::default(), &Checkpoint::start());
        assert_eq!((batch.tenant(0), batch.tenant(1)), ("acme", ""), "{preset}");
        let acme = EventFilter {
            tenants: patterns(&["acme"]),
            ..EventFilter::default()
        };
        assert_eq!(
            page(&source, &acme, &Checkpoint::start()).positions,
            [1],
            "{preset}"
        );
    }
}

#[test]
fn emmett_alone_lacks_an_index() {
    for tool in &TOOLS {
        let Some(bench) = Bench::new(tool.schema) else {
            return;
        };
        let warned = || bench.survey(&tool.mapping()).unwrap().warnings;
        if tool.preset == "emmett" {
            let index = "ON public.emt_messages (global_position)";
            assert!(warned()[0].contains(index), "{:?}", warned());
            bench.database.run(&format!("CREATE INDEX {index}"));
        }
        assert!(warned().is_empty(), "{}: {:?}", tool.preset, warned());
    }
}

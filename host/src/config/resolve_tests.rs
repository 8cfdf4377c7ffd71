//! Which of several settings wins, and what is refused.

use super::*;
use crate::config::{Durability, LogFormat, OnFailure};

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_defaults() {
    let mut inputs = Inputs::default();
    assert_eq!(memory(&inputs), (128, "default".into()));
    inputs.file = file("[limits]\nmemory_mib = 1");
    assert_eq!(memory(&inputs), (1, "conf/lantern.toml:2".into()));
    inputs
        .environment
        .insert("LANTERN_LIMITS_MEMORY_MIB".into(), "2".into());
    assert_eq!(memory(&inputs), (2, "LANTERN_LIMITS_MEMORY_MIB".into()));
    inputs.flags.push(Flag::set("limits.memory_mib=3").unwrap());
    inputs
        .flags
        .push(Flag::set("limits.memory_mib = 4").unwrap());
    assert_eq!(memory(&inputs), (4, "--set".into()));
}

#[test]
fn every_setting_can_be_given_its_own_default() {
    for setting in SETTINGS {
        let value = setting.default().to_string();
        let flag = Flag {
            name: "--set".into(),
            key: setting.key.into(),
            value,
        };
        let resolved = resolve(&Inputs {
            flags: vec![flag],
            ..Inputs::default()
        });
        assert_eq!(
            resolved.unwrap().settings,
            Settings::in_dir(""),
            "{}",
            setting.key
        );
    }
}

#[test]
fn keys_and_variables_are_unique() {
    let keys: std::collections::HashSet<_> = SETTINGS.iter().map(|s| s.key).collect();
    let variables: std::collections::HashSet<_> = SETTINGS.iter().map(Setting::variable).collect();
    assert_eq!(
        (keys.len(), variables.len()),
        (SETTINGS.len(), SETTINGS.len())
    );
    assert_eq!(SETTINGS[0].key, "data_dir");
}

#[test]
fn a_path_in_the_file_is_relative_to_the_file_and_the_stores_follow_the_data() {
    let settings = from_file("data_dir = 'here'\nread_store.path = '/else/r.db'")
        .unwrap()
        .settings;
    assert_eq!(settings.data_dir, Path::new("conf/here"));
    assert_eq!(settings.event_store.path, Path::new("conf/here/events.db"));
    assert_eq!(settings.read_store.path, Path::new("/else/r.db"));
    assert_eq!(settings.projectors_dir, Path::new("projectors"));
}

#[test]
fn words_and_filters_are_checked() {
    let text = "event_store.durability = 'normal'\nlog = { filter = 'warn,lantern=debug', format = 'json' }";
    let settings = from_file(text).unwrap().settings;
    assert_eq!(settings.event_store.durability, Durability::Normal);
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(
        error("log.filter = 'warning'"),
        "conf/lantern.toml:1: `log.filter` must be a level (error, warn, info, debug, trace, off) \
         or directives such as `info,lantern::worker=debug`, not \"warning\""
    );
    assert_eq!(
        error("\nread_store.durability = 'none'"),
        "conf/lantern.toml:2: `read_store.durability` must be `full` or `normal`, not \"none\""
    );
}

#[test]
fn a_value_out_of_range_is_refused_with_what_where_and_the_range() {
    assert_eq!(
        error("[limits]\n\nmemory_mib = 9999"),
        "conf/lantern.toml:3: `limits.memory_mib` must be a whole number of MiB from 1 to 4096, not 9999"
    );
    for value in ["'128'", "1.5", "-1", "true", "[1]"] {
        let message = error(&format!("limits.memory_mib = {value}"));
        assert!(
            message.contains("must be a whole number of MiB"),
            "{message}"
        );
    }
    let environment = [("LANTERN_BATCH_EVENTS".to_owned(), "many".to_owned())].into();
    let message = resolve(&Inputs {
        environment,
        ..Inputs::default()
    })
    .unwrap_err()
    .to_string();
    assert_eq!(
        message,
        "LANTERN_BATCH_EVENTS: `batch.events` must be a whole number from 1 to 100000, not many"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let wrong = from_file("[limits]\nmemory = 5").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "conf/lantern.toml:2: there is no setting `limits.memory`"
    );
    assert_eq!(wrong.hint().unwrap(), "did you mean `limits.memory_mib`?");
    assert!(error("[limit]").contains("no setting `limit`"));
    assert!(from_file("[limits]").is_ok());
}

#[test]
fn what_is_said_of_a_projector_counts_for_it_alone() {
    let mut inputs = Inputs {
        file: file(
            "batch.events = 5\n[projectors.orders]\nbatch.events = 6\nfailure.live = 'quarantine'",
        ),
        ..Inputs::default()
    };
    let settings = resolve(&inputs).unwrap().settings;
    let batch = |name: &str| settings.projector(name).pacing.batch_events;
    assert_eq!((batch("orders"), batch("others")), (6, 5));
    assert_eq!(
        settings.projector("orders").failure.live,
        OnFailure::Quarantine
    );
    assert_eq!(settings.projector("others").failure.live, OnFailure::Stop);

    let variable = "LANTERN_PROJECTORS_ORDERS_BATCH_EVENTS";
    inputs.environment.insert(variable.into(), "7".into());
    let resolved = resolve(&inputs).unwrap();
    let entries = resolved.entries();
    let entry = entries
        .iter()
        .find(|entry| entry.key == "projectors.orders.batch.events");
    let entry = entry.unwrap();
    assert_eq!(
        (entry.value.to_string(), entry.origin.to_string()),
        ("7".into(), variable.into())
    );
    assert_eq!(entry.variable(), variable);
}

#[test]
fn what_cannot_be_said_of_a_projector_is_refused() {
    for (text, message, hint) in [
        (
            "[projectors.orders.limits]\nmemory_mib = 1",
            "conf/lantern.toml:2: `limits.memory_mib` cannot be set for a single projector",
            "for the whole host",
        ),
        (
            "[projectors.orders]\nbatch.event = 1",
            "conf/lantern.toml:2: there is no setting `projectors.orders.batch.event`",
            "`projectors.orders.batch.events`",
        ),
        (
            "[projectors.Orders]\nbatch.events = 1",
            "conf/lantern.toml:2: no projector has such a name",
            "lantern status",
        ),
        (
            "[projectors.orders]\nbatch.events = 0",
            "conf/lantern.toml:2: `projectors.orders.batch.events` must be a whole number from 1 \
             to 100000, not 0",
            "",
        ),
    ] {
        let wrong = from_file(text).unwrap_err();
        assert_eq!(wrong.to_string(), message);
        assert!(wrong.hint().unwrap_or_default().contains(hint), "{text}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    let message = error("data_dir = 'a'\n[limits\n");
    assert!(
        message.starts_with("conf/lantern.toml:2 is not valid TOML: "),
        "{message}"
    );
    let message = error("[limits]\ncommands = 1\ncommands = 2");
    assert!(message.contains("duplicate key"), "{message}");
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    assert_eq!(
        error("retry = { first_ms = 500, most_ms = 200 }"),
        "conf/lantern.toml:1: `retry.first_ms` is above `retry.most_ms`, which is 200"
    );
}

#[test]
fn inline_projectors_have_events_and_rows_in_one_database() {
    let inline = "projectors.tasks.update.strategy = 'inline'\n";
    let text = error(inline);
    for part in [
        "conf/lantern.toml:1: `projectors.tasks.update.strategy` is `inline`",
        "set the same file as `event_store.path` and `read_store.path`",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let one_file = "event_store.path = 'a'\nread_store.path = 'a'\n";
    from_file(&format!("{one_file}{inline}")).unwrap();
    let [here, there] = ["event_store", "read_store"].map(|store| format!("{store}.url"));
    let urls = |events: &str, rows: &str| {
        format!("{here} = 'postgres://db/{events}'\n{there} = 'postgres://db/{rows}'\n")
    };
    from_file(&format!("{}{inline}", urls("a", "a"))).unwrap();
    let text = error(&format!("{}{inline}", urls("a", "b")));
    assert!(text.contains("the same `event_store.url`"), "{text}");
    let text = error(&format!("{one_file}{here} = 'postgres://db/a'\n{inline}"));
    assert!(text.contains("the same `event_store.url`"), "{text}");
    let marten = format!("{}event_store.preset = 'marten'\n{inline}", urls("a", "a"));
    assert!(error(&marten).contains("does not append to this event store"));
}

#[test]
fn variables_of_others_and_empty_ones_are_passed_over() {
    let environment = [
        ("LANTERN_SERVICE_HOST".to_owned(), "10.0.0.1".to_owned()),
        ("LANTERN_BATCH_EVENTS".to_owned(), String::new()),
        ("LANTERN_LOG".to_owned(), "debug".to_owned()),
    ];
    let resolved = resolve(&Inputs {
        environment: environment.into(),
        ..Inputs::default()
    })
    .unwrap();
    assert_eq!(*resolved.origin("batch.events"), Origin::Default);
    assert_eq!(resolved.settings.log.filter, "debug");
}

fn memory(inputs: &Inputs) -> (usize, String) {
    let resolved = resolve(inputs).unwrap();
    (
        resolved.settings.limits.memory_bytes >> 20,
        resolved.origin("limits.memory_mib").to_string(),
    )
}

fn error(text: &str) -> String {
    from_file(text).unwrap_err().to_string()
}

fn from_file(text: &str) -> Result<Resolved, ConfigError> {
    resolve(&Inputs {
        file: file(text),
        ..Inputs::default()
    })
}

fn file(text: &str) -> Option<FileText> {
    Some(FileText {
        path: "conf/lantern.toml".into(),
        text: text.into(),
    })
}

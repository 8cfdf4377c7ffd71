//! Whether a guest has ended as it must.

use serde_json::Value;

use super::cases::{Case, Ends};
use super::stage::{FIRST, POISON, Stage};

/// The most text that a guest may put before the operator.
const MOST_TEXT: usize = 16 << 10;

/// What is wrong with how a guest has ended.
pub(super) fn wrong_with(case: &Case, status: &Value, stage: &Stage) -> Vec<String> {
    let name = case.guest;
    let refused = entry(&status["refused"], "file", &format!("{name}.wasm"));
    let projector = entry(&status["projectors"], "name", name);
    let mut wrong = Vec::new();
    match case.ends {
        Ends::Refused => {
            check_text(case, refused["reason"].as_str(), &mut wrong);
            if !projector.is_null() {
                wrong.push("it has become a projector".into());
            }
        }
        Ends::Stopped | Ends::StoppedAtOnce => {
            check_failure(case, projector, &mut wrong);
            let before = if case.ends == Ends::Stopped {
                "11,12"
            } else {
                ""
            };
            let noted = stage.noted(name).unwrap_or_default();
            if noted != before {
                wrong.push(format!(
                    "before its failure it should have noted {before:?}, and has {noted:?}"
                ));
            }
        }
        Ends::Harmless => {
            if projector["state"] != "live" {
                wrong.push(format!(
                    "it should go on, and does not: {projector:#} {refused:#}"
                ));
            }
        }
    }
    wrong
        .into_iter()
        .map(|what| format!("{name}: {}", shortened(&what)))
        .collect()
}

/// Whether a terminal only shows a character, and does not obey it.
pub(super) fn is_plain(c: char) -> bool {
    c == '\n' || c == '\t' || !c.is_control()
}

fn check_failure(case: &Case, projector: &Value, wrong: &mut Vec<String>) {
    let failure = &projector["failure"];
    check_text(case, failure["cause"].as_str(), wrong);
    let (position, event_type) = match case.ends {
        Ends::StoppedAtOnce => (FIRST, "probe.seen"),
        _ => (POISON, "probe.poison"),
    };
    // A refusal speaks of the event; whatever else goes wrong, of the projector.
    let (class, next) = if case.guest.starts_with("refuses_") {
        ("event", "see what is wrong with the event")
    } else {
        ("projector", "put the new component into the watched folder")
    };
    let expected = [
        (&projector["state"], Value::from("failed")),
        (&projector["version"], "1.0.0".into()),
        (&failure["class"], class.into()),
        (&failure["position"], position.into()),
        (&failure["event_type"], event_type.into()),
        (&failure["stream"], "probe-1".into()),
    ];
    for (found, expected) in expected {
        if *found != expected {
            wrong.push(format!("{found} instead of {expected} in {failure}"));
        }
    }
    let next_step = failure["next_step"].as_str().unwrap_or_default();
    if !next_step.contains(next) {
        wrong.push(format!("no next step in {failure}"));
    }
}

/// What the operator reads must say what it should, and be fit to read.
fn check_text(case: &Case, text: Option<&str>, wrong: &mut Vec<String>) {
    let Some(text) = text else {
        wrong.push("the operator reads nothing about it".into());
        return;
    };
    for part in case.says {
        if !text.contains(part) {
            wrong.push(format!("nothing of {part:?} in {text:?}"));
        }
    }
    if text.len() > MOST_TEXT {
        wrong.push(format!("the operator must read {} bytes", text.len()));
    }
    if !text.chars().all(is_plain) {
        wrong.push(format!("there are control characters in {text:?}"));
    }
}

fn entry<'v>(list: &'v Value, member: &str, name: &str) -> &'v Value {
    let found = list
        .as_array()
        .and_then(|list| list.iter().find(|entry| entry[member] == name));
    found.unwrap_or(&Value::Null)
}

/// Whether a guest has ended in any way.
pub(super) fn has_ended(case: &Case, status: &Value) -> bool {
    let projector = entry(&status["projectors"], "name", case.guest);
    let has_read_all = projector["state"] == "live" && projector["lag"] == 0;
    let is_refused = !entry(&status["refused"], "file", &format!("{}.wasm", case.guest)).is_null();
    is_refused || has_read_all || projector["state"] == "failed"
}

fn shortened(text: &str) -> String {
    text.chars().take(600).collect()
}

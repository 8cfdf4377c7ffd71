//! House rules, as code: which room may know which, what every file has, and
//! that documents speak of what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::TestHost;
use crate::harness::places::root;

/// Which rooms a room may name. Words for all: `model`; beside them `config`
/// and `telemetry`. `postgres` is for those who open databases or talk to them,
/// `transaction` for those who share one. A new arrow is a change of design, and
/// gets an ADR.
const ARROWS: [(&str, &[&str]); 20] = [
    ("main", &["cli"]),
    ("cli", &["operations"]),
    (
        "operations",
        &[
            "host",
            "append",
            "rebuild",
            "watcher",
            "worker",
            "catalog",
            "source",
            "sandbox",
            "read_store",
            "toolchain",
            "postgres",
        ],
    ),
    (
        "host",
        &[
            "append",
            "rebuild",
            "watcher",
            "worker",
            "catalog",
            "source",
            "sandbox",
            "unit_of_work",
            "read_store",
        ],
    ),
    ("append", &["worker", "source", "read_store"]),
    ("rebuild", &["worker", "catalog", "read_store"]),
    ("watcher", &[]),
    (
        "worker",
        &[
            "source",
            "sandbox",
            "unit_of_work",
            "read_store",
            "transaction",
        ],
    ),
    ("catalog", &["sandbox", "read_store"]),
    ("source", &["postgres", "transaction"]),
    ("sandbox", &[]),
    ("unit_of_work", &[]),
    ("read_store", &["postgres", "transaction"]),
    ("toolchain", &[]),
    ("model", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("transaction", &["postgres"]),
    ("postgres", &[]),
    // The map itself.
    ("lib", &[]),
];

/// What every room may name, save these three themselves.
const WORDS: [&str; 3] = ["model", "config", "telemetry"];

/// A library, and the rooms that may name it.
const OWNED: [(&str, &[&str]); 3] = [
    ("wasmtime", &["sandbox"]),
    ("rusqlite", &["source", "read_store", "transaction"]),
    ("sqlx", &["postgres", "source", "read_store", "transaction"]),
];

/// A file longer than this is two files.
const MOST_LINES: usize = 500;

#[test]
fn rooms_know_only_those_below_them() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for file in rust_files(&sources()) {
        let room = room_of(&file);
        let below = arrows.get(room.as_str());
        let below = below
            .unwrap_or_else(|| panic!("there is no rule for the room `{room}`: draw its arrows"));
        for named in rooms_named(&code(&file)) {
            let is_word = WORDS.contains(&named.as_str()) && may_use_words(&room, &named);
            if named != room && !is_word && !below.contains(&named.as_str()) {
                wrong.push(format!("{}: `{room}` names `{named}`", shown(&file)));
            }
        }
    }
    assert_none(&wrong, "arrows that are not in the picture");
}

/// The three leaves know little of each other: logging and settings may use
/// words, and logging is told by settings where to go.
fn may_use_words(room: &str, named: &str) -> bool {
    match room {
        "model" => false,
        "config" => named == "model",
        "telemetry" => named != "telemetry",
        _ => true,
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in rust_files(&sources()) {
        let (room, code) = (room_of(&file), code(&file));
        for (library, rooms) in OWNED {
            if names(&code, library) && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{}: `{room}` names `{library}`", shown(&file)));
            }
        }
    }
    assert_none(&wrong, "libraries outside their rooms");
}

#[test]
fn every_file_says_what_it_is_and_is_short_enough() {
    let mut wrong = Vec::new();
    for file in ["host", "tests", "benches", "examples", "guest-sdk"]
        .iter()
        .flat_map(|dir| rust_files(&root().join(dir)))
    {
        let text = read(&file);
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not begin with `//!`", shown(&file)));
        }
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!(
                "{}: has {lines} lines, above {MOST_LINES}",
                shown(&file)
            ));
        }
    }
    assert_none(&wrong, "files without a word on what they are, or too long");
}

/// A person copies the setting that an error names.
#[test]
fn settings_that_messages_name_are_settings() {
    let settings = TestHost::new().command(&["config", "--json"]).ok().out;
    let (mut wrong, mut named) = (Vec::new(), 0);
    for file in rust_files(&sources().join("sandbox")) {
        let code = read(&file);
        // In a message it stands in brackets or is a text of its own; in code it does not.
        for start in ["(limits.", "\"limits."] {
            for after in code.split(start).skip(1) {
                let name: String = after
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                    .collect();
                named += 1;
                if !settings.contains(&format!("\"limits.{name}\"")) {
                    wrong.push(format!("{}: limits.{name}", shown(&file)));
                }
            }
        }
    }
    assert!(
        named >= 6,
        "the messages are not read as they are written any more"
    );
    assert_none(&wrong, "messages that name settings which are none");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for file in documents() {
        for target in links(&read(&file)) {
            let path = target.split('#').next().unwrap_or_default();
            let is_elsewhere =
                target.contains("://") || target.starts_with("mailto:") || path.is_empty();
            if !is_elsewhere && !file.with_file_name("").join(path).exists() {
                wrong.push(format!("{}: `{target}`", shown(&file)));
            }
        }
    }
    assert_none(&wrong, "links to what is not there");
}

#[test]
fn commands_in_documents_are_commands_of_the_program() {
    let help = TestHost::new().command(&["--help"]).ok().out;
    let verbs = verbs(&help);
    assert!(
        verbs.contains("run") && verbs.contains("append"),
        "the help lists commands:\n{help}"
    );
    let mut wrong = Vec::new();
    for file in documents() {
        for verb in commands(&read(&file)) {
            if !verbs.contains(&verb) {
                wrong.push(format!("{}: `lantern {verb}`", shown(&file)));
            }
        }
    }
    assert_none(&wrong, "commands that are none");
}

#[test]
fn the_sdk_carries_the_very_interface() {
    let (original, copy) = (root().join("wit"), root().join("guest-sdk/rust/wit"));
    let contents = |dir: &Path| -> BTreeMap<PathBuf, String> {
        let files = files(dir, "wit").into_iter();
        files
            .map(|file| (file.strip_prefix(dir).unwrap().to_owned(), read(&file)))
            .collect()
    };
    let (original, copy) = (contents(&original), contents(&copy));
    assert!(!original.is_empty());
    assert!(
        original == copy,
        "guest-sdk/rust/wit is not a copy of wit: copy it anew"
    );
}

#[test]
fn the_reading_of_code_and_documents_is_right() {
    let code = "use crate::{model::Row, source};\nuse crate::worker::{End, cycle};\nlet x = crate::host::run();\n\
                pub(crate) fn f() {}\nuse crate::{\n    sandbox::{self, Limits},\n    catalog::Catalog,\n};";
    let found: Vec<String> = rooms_named(code).into_iter().collect();
    assert_eq!(
        found,
        ["catalog", "host", "model", "sandbox", "source", "worker"]
    );
    assert!(names("use wasmtime::Engine;", "wasmtime") && !names("let wasmtimed = 1;", "wasmtime"));
    assert_eq!(
        links("see [a](b.md#c) and ![d](e.png) and [f] (g)"),
        ["b.md#c", "e.png"]
    );
    let text = "Use `lantern run`, or:\n```\n$ lantern append x | jq\ncat y | lantern query --where a=b\n```\nlantern glows";
    assert_eq!(commands(text), ["run", "append", "query"]);
}

// ---- reading code -------------------------------------------------------------

/// All Rust files below a folder, but for what builds leave.
pub(crate) fn rust_files(dir: &Path) -> Vec<PathBuf> {
    files(dir, "rs")
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", shown(dir)));
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> PathBuf {
    root().join("host/src")
}

/// The room a file is in: its folder below `src`, or its own name.
fn room_of(file: &Path) -> String {
    let path = file.strip_prefix(sources()).unwrap();
    let first = Path::new(path.iter().next().unwrap());
    first.file_stem().unwrap().to_string_lossy().into_owned()
}

/// A file's text without its comments.
fn code(file: &Path) -> String {
    let text = read(file);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that code names, as `crate::room` or in `crate::{room::…, room}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `lantern_crate::` is another word; `$crate::` is this one.
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => rooms.extend(
                top_level(list)
                    .into_iter()
                    .map(word)
                    .filter(|room| !room.is_empty()),
            ),
            None => {
                rooms.insert(word(rest));
            }
        }
    }
    // Macros and functions of the crate's root are no rooms.
    rooms.retain(|room| {
        ARROWS.iter().any(|(known, _)| known == room) || sources().join(room).exists()
    });
    rooms
}

/// The parts of a list in braces that are separated by commas of its own.
fn top_level(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

fn word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn names(code: &str, library: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(library).any(|(at, _)| {
        !code[..at].ends_with(is_part) && code[at + library.len()..].starts_with("::")
    })
}

// ---- reading documents ----------------------------------------------------------

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["docs", "examples", "guest-sdk", "tests"]
        .iter()
        .flat_map(|dir| files(&root().join(dir), "md"))
        .collect();
    found.extend(
        fs::read_dir(root())
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
    );
    found
}

fn links(text: &str) -> Vec<&str> {
    let starts = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
    starts
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.trim())
        .collect()
}

/// The verbs of commands in inline code and in code blocks.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.extend(line.split(['|', ';', '&']).filter_map(verb));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).filter_map(verb));
        }
    }
    found
}

/// The verb of a command, when it is one of this program.
fn verb(command: &str) -> Option<String> {
    let command = command.trim().trim_start_matches("$ ");
    let mut words = command.split_whitespace();
    let program = words.next()?;
    let verb = words.find(|word| !word.starts_with('-'))?;
    let is_verb = verb.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    (program == "lantern" && is_verb).then(|| verb.to_owned())
}

fn verbs(help: &str) -> BTreeSet<String> {
    let list = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1);
    let list = list.take_while(|line| !line.trim().is_empty());
    // A line that is further in goes on with the text of the one before.
    let list = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    list.filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

// ---- telling ---------------------------------------------------------------------

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}

#[track_caller]
fn assert_none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

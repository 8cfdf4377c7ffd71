//! Lantern from outside: the binary as a process, the stores as readers see them.

/// What every test stands on.
mod harness;

/// A first replay over thousands of streams, and what is new after it.
mod billing;
/// Each example ends in its expected rows.
mod examples;
/// What goes wrong with projectors, databases and disks, and what then happens.
mod failure;
/// Version guards: what comes late or twice leaves no trace but a count.
mod guards;
mod inline;
/// A guest that misbehaves suffers alone.
mod isolation;
/// The README's promises, by name.
mod promises {
    /// Nothing is lost or doubled, whenever the process is killed.
    mod exactly_once;
    /// The same whatever happens to the database meanwhile.
    mod faults_postgres;
    /// A reader that stays long is waited for, and nobody behind it for long.
    mod long_readers;
    /// No event is skipped, however late its transaction commits.
    mod no_event_skipped;
    /// A change of version is not noticed by readers, but for its rows.
    mod readers_undisturbed;
    /// Several hosts share the work, and whoever was taken over from writes nothing more.
    mod several_hosts;

    /// Whether the long forms are to be run.
    pub(crate) fn is_torture() -> bool {
        std::env::var_os("LANTERN_TORTURE").is_some_and(|torture| torture != "0")
    }
}
/// What is declared to be looked up comes in few queries, and changes nothing.
mod lookups;
/// One tenant's or stream's rows are made anew, and nobody else's are touched.
mod partial_rebuild;
/// However failures fall, a worker goes on or says why it does not.
mod progress;
/// Events that cannot be projected are set aside with their stream.
mod quarantine;
/// The large log of incidents ends in the rows that are expected.
mod real_log;
/// What happens to files in the watched folder.
mod reload;
/// Back to where the rows once stood, and what that would cost.
mod rewind;
/// Events of an entity come in the order of its versions.
mod strict_order;
/// Which events a projector is sent.
mod subscriptions;
/// Tenants' rows are their own, whatever a component tries.
mod tenants;
/// Rows are found by words, the same ones on both stores.
mod text_search;
/// House rules: arrows between rooms, docs, the interface's copies.
mod tidy;
/// When projectors work: at once, in batches, by a schedule.
mod updates;
/// Every verb of an operator, with and without a host.
mod verbs;

/// A file that is not listed above is a test that never runs.
#[test]
fn every_file_is_listed() {
    let here = harness::places::root().join("tests");
    let list = std::fs::read_to_string(here.join("all.rs")).expect("this file is there");
    for file in tidy::rust_files(&here) {
        let path = file.strip_prefix(&here).expect("it was found there");
        let top = path.iter().next().unwrap_or_default();
        if [
            "all.rs",
            "event_tables",
            "guests",
            "harness",
            "projectors",
            "servers",
        ]
        .iter()
        .any(|other| top == *other)
        {
            continue;
        }
        let door = file.with_file_name("mod.rs");
        let (named, listed_in) = match path.ends_with("mod.rs") {
            true => (path.parent().unwrap_or(path), list.clone()),
            false => (
                path,
                list.clone() + &std::fs::read_to_string(door).unwrap_or_default(),
            ),
        };
        let name = named.file_stem().unwrap_or_default().to_string_lossy();
        let is_listed = [format!("mod {name};"), format!("mod {name} {{")];
        assert!(
            is_listed.iter().any(|line| listed_in.contains(line)),
            "{} is in no list",
            path.display()
        );
    }
}

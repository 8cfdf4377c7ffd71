//! How everything stands, as text.

use super::numbers::{count, counted, duration, percent, rate};
use super::output::{Column, printable, table};
use crate::model::{Checkpoint, Failure};
use crate::operations::{
    BuildingStatus, GapsStatus, HostStatus, ProjectorStatus, RefusedFile, Status,
};

/// How everything stands: a table of projectors, and below it in full what went
/// wrong and what to do about it.
pub(super) fn status_text(status: &Status) -> String {
    let mut text = format!("host  {}\n", host_text(status.host.as_ref()));
    let here = status.host.as_ref().map(|host| &host.instance);
    let others = status.hosts.iter();
    for other in others.filter(|host| host.running && Some(&host.instance) != here) {
        text += &format!(
            "host  {} {}\n",
            printable(&other.host),
            host_text(Some(other))
        );
    }
    text += &format!("log   position {}\n", position(&status.head));
    if let Some(held_back) = &status.held_back {
        text += &format!("      {}\n", indented(held_back));
    }
    text += &gaps_text(&status.gaps);
    text += "\n";
    if status.projectors.is_empty() {
        text += "no projectors yet: put a component into the watched folder and `lantern run`\n";
    } else {
        text += &projectors_table(&status.projectors);
    }
    text += &notes_text(&status.projectors);
    for projector in &status.projectors {
        text += &trouble_text(projector);
    }
    text + &refused_text(&status.refused)
}

/// A failure in full.
pub(super) fn failure_text(title: &str, failure: &Failure) -> String {
    let mut text = format!("\n{title}: {}\n", indented(&failure.to_string()));
    text += &format!("  at         {}\n", failure.at);
    if let Some(digest) = &failure.digest {
        text += &format!("  component  {digest}\n");
    }
    text + &format!("  next step  {}\n", indented(&failure.next_step))
}

/// The files that are not in use, each with the reason.
pub(super) fn refused_text(refused: &[RefusedFile]) -> String {
    let texts = refused.iter().map(|file| {
        let name = printable(&file.file);
        format!(
            "\n{name} refused: {}\n  at         {}\n",
            indented(&file.reason),
            file.at
        )
    });
    texts.collect()
}

fn host_text(host: Option<&HostStatus>) -> String {
    match host {
        None => "never started here; `lantern run` starts one".into(),
        Some(host) if host.running => {
            let connections = connections_text(host);
            format!(
                "running (process {}, since {}{connections})",
                host.pid, host.started_at
            )
        }
        Some(host) => format!("not running (last heard of at {})", host.heartbeat_at),
    }
}

/// The gaps that were passed, in a line.
fn gaps_text(gaps: &GapsStatus) -> String {
    let Some(latest) = gaps.latest.first() else {
        return String::new();
    };
    format!(
        "gaps  {} passed, the latest {} to {} at {} ({})\n",
        count(gaps.passed),
        latest.from,
        latest.to,
        latest.passed_at,
        printable(&latest.proof)
    )
}

/// Connections in a few words.
fn connections_text(host: &HostStatus) -> String {
    let texts = host.connections.iter().map(|usage| {
        format!(
            ", {} of {} connections to {} open",
            usage.open,
            usage.budget,
            printable(&usage.database)
        )
    });
    texts.collect()
}

fn projectors_table(projectors: &[ProjectorStatus]) -> String {
    use Column::{Left, Right};
    let columns = [
        Left("PROJECTOR"),
        Left("VERSION"),
        Left("STATE"),
        Right("POSITION"),
        Right("LAG"),
        Right("RATE"),
        Left("BUILDING"),
        Left("ROLLBACK TO"),
    ];
    let rows = projectors.iter().map(|projector| {
        vec![
            projector.name.to_string(),
            projector.version.clone(),
            projector.state.clone(),
            position(&projector.checkpoint),
            count(projector.lag),
            rate(projector.events_per_second),
            projector
                .building
                .as_ref()
                .map(building_text)
                .unwrap_or_default(),
            projector.can_roll_back_to.clone().unwrap_or_default(),
        ]
    });
    table(&columns, rows.collect())
}

/// What is worth knowing and no trouble: who does not work at once, and what was
/// ignored.
fn notes_text(projectors: &[ProjectorStatus]) -> String {
    let mut notes = Vec::new();
    for projector in projectors {
        let name = &projector.name;
        if projector.update != "immediate" {
            let next = projector.next_run_at;
            let next = next.map_or_else(String::new, |at| format!("; next run at {at}"));
            notes.push(format!(
                "{name} is {}{next}\n",
                printable(&projector.update)
            ));
        }
        if let Some(position) = projector.rewound_to {
            notes.push(format!(
                "{name} is rewound to position {} and stands there: `lantern resume {name}` goes on, \
                 `lantern rollback {name}` brings the former rows back\n",
                count(position.0)
            ));
        }
        if let Some(since) = projector.ignored_since.filter(|_| projector.ignored > 0) {
            let commands = counted(projector.ignored, "command");
            notes.push(format!(
                "{name} has ignored {commands} since {since}, as their rows were as new or newer\n"
            ));
        }
        if let Some(since) = projector.ignored_since.filter(|_| projector.repeated > 0) {
            let events = counted(projector.repeated, "event");
            notes.push(format!(
                "{name} has left out {events} since {since}, as their entities had come to these \
                 versions before\n"
            ));
        }
        if let Some(oldest) = projector.waiting.oldest {
            let events = counted(projector.waiting.events, "event");
            notes.push(format!(
                "{name} holds back {events} until earlier versions of their entities come; the \
                 oldest is at position {}\n",
                count(oldest.0)
            ));
        }
    }
    match notes.is_empty() {
        true => String::new(),
        false => format!("\n{}", notes.concat()),
    }
}

/// A rebuild in one line: version, phase, part done, rate, time left.
pub(super) fn building_text(building: &BuildingStatus) -> String {
    let (done, total) = done_of(building);
    let mut parts = vec![building.phase.clone(), percent(done, total)];
    if building.events_per_second > 0.0 {
        parts.push(rate(building.events_per_second));
    }
    if let Some(seconds) = building.seconds_left.filter(|_| building.lag > 0) {
        parts.push(format!("{} left", duration(seconds)));
    }
    let of = building.of.as_ref();
    let of = of.map_or_else(String::new, |of| format!("{}: ", printable(of)));
    format!("{of}{} {}", building.version, parts.join(", "))
}

/// The positions a rebuild has behind it, and all there are.
pub(super) fn done_of(building: &BuildingStatus) -> (u64, u64) {
    let done = Checkpoint::start().lag_to(&building.checkpoint);
    (done, done + building.lag)
}

fn tried_again(what: &str, trouble: &str) -> String {
    format!("\n{what} is being tried again: {}\n", indented(trouble))
}

fn trouble_text(projector: &ProjectorStatus) -> String {
    let mut text = String::new();
    if let Some(failure) = &projector.failure {
        text += &failure_text(&format!("{} failed", projector.name), failure);
    }
    if projector.dead_letters > 0 {
        text += &format!(
            "\n{} has set {} aside, whose streams wait: `lantern dead-letters list {}`\n",
            projector.name,
            counted(projector.dead_letters, "event"),
            projector.name
        );
    }
    if let Some(trouble) = &projector.trouble {
        text += &tried_again(projector.name.as_str(), trouble);
    }
    let building = projector.building.as_ref();
    if let Some((building, trouble)) = building.and_then(|b| Some((b, b.trouble.as_ref()?))) {
        let what = format!("the rebuild of {} to {}", projector.name, building.version);
        text += &tried_again(&what, trouble);
    }
    if let Some((building, failure)) = projector
        .building
        .as_ref()
        .and_then(|b| Some((b, b.failure.as_ref()?)))
    {
        let title = format!(
            "the rebuild of {} to {} failed",
            projector.name, building.version
        );
        text += &failure_text(&title, failure);
    }
    text
}

fn position(checkpoint: &Checkpoint) -> String {
    match checkpoint.partitions().all(|(name, _)| name.is_empty()) {
        true => count(checkpoint.position().0),
        false => checkpoint.to_string(),
    }
}

/// A text of one or more lines, the later ones moved to the right.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n             ")
}

#[cfg(test)]
#[path = "status_text_tests.rs"]
mod tests;

//! A guest that misbehaves suffers alone.
//!
//! `tests/guests` holds guests that trap, loop, hoard, lie and pry, and `cases`
//! says how each must end. Here they share a host with one healthy neighbour,
//! which must not notice; nor must those who append.

mod cases;
mod oddities;
mod stage;
mod verdict;

use cases::{CASES, HUNGRY, MENDED};
use stage::Stage;
use verdict::{is_plain, wrong_with};

use crate::harness::told;

/// The memory by which a host may grow while it deals with all of them. What
/// it compiles stays with it: about a megabyte a component. The rest is what the
/// guests that run at one moment hold, at 32 MiB each and what they send.
const MOST_GROWTH: usize = 640 << 20;

/// The most bytes that a line of the log may have.
const MOST_LINE: usize = 16 << 10;

#[test]
fn all_suffer_alone() {
    let mut stage = Stage::new();
    stage.begin_with_the_neighbour();
    let at_rest = stage.peak_memory();
    let alone = stage.speed_of_the_neighbour();
    for case in CASES {
        stage.install(case.guest);
    }
    let among_arrivals = stage.speed_of_the_neighbour();
    let status = stage.settled(CASES);
    let beside = stage.speed_of_the_neighbour();
    let growth = stage.peak_memory() - at_rest;
    told(
        "isolation",
        &format!(
            "{} misbehaving guests; the neighbour does {alone:.0} events/s alone, {among_arrivals:.0} while they \
             are compiled and fail, {beside:.0} beside them; the host grew by {} MiB",
            CASES.len(),
            growth >> 20
        ),
    );
    let mut wrong: Vec<String> = CASES
        .iter()
        .flat_map(|case| wrong_with(case, &status, &stage))
        .collect();
    wrong.extend(wrong_with_the_log(&stage));
    if growth > MOST_GROWTH {
        wrong.push(format!("the host has grown by {} MiB", growth >> 20));
    }
    assert!(
        wrong.is_empty(),
        "{} things are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    stage.assert_the_neighbour_is_right();
    assert_no_tenant_was_robbed(&stage);
    assert_nothing_was_remembered(&stage);
    assert_chance_is_the_same_again(&stage);
    assert_a_unique_index_holds(&stage);
    assert_a_restart_changes_nothing(&mut stage);
    assert_the_mended_go_on(&stage);
}

/// A guest has little memory of its own, and may try to use the host's.
#[test]
fn the_hosts_memory_is_not_theirs() {
    let mut wrong = Vec::new();
    for case in HUNGRY {
        let mut stage = Stage::new();
        stage.begin_with_the_neighbour();
        let at_rest = stage.peak_memory();
        stage.install(case.guest);
        let status = stage.settled(std::slice::from_ref(case));
        let growth = (stage.peak_memory() - at_rest) >> 20;
        told(
            "isolation",
            &format!("{}: the host grew by {growth} MiB", case.guest),
        );
        stage.speed_of_the_neighbour();
        stage.assert_the_neighbour_is_right();
        wrong.extend(wrong_with(case, &status, &stage));
        // What a batch may send, some times over: the limit is 16 MiB here.
        if growth > 128 {
            wrong.push(format!(
                "{}: the host has grown by {growth} MiB",
                case.guest
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} things are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn wrong_with_the_log(stage: &Stage) -> Vec<String> {
    let log = stage.host.log();
    let lines_with = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    let longest = log.lines().map(str::len).max().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut expect = |is_so: bool, otherwise: String| {
        if !is_so {
            wrong.push(format!("the log: {otherwise}"));
        }
    };
    expect(
        log.chars().all(is_plain),
        "it has control characters".into(),
    );
    expect(
        longest <= MOST_LINE,
        format!("its longest line has {longest} bytes"),
    );
    expect(
        lines_with("flood") <= 1_100,
        format!("it is flooded: {} lines", lines_with("flood")),
    );
    expect(
        lines_with("log lines dropped") == 1,
        "it does not say once how many lines were dropped".into(),
    );
    expect(
        !log.lines()
            .any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR forged")),
        "a guest's line looks like the host's own".into(),
    );
    for guest in MENDED {
        let projector = format!("projector={guest} ");
        let is_it =
            |line: &&str| line.contains("stopped by a failure") && line.contains(&projector);
        let said = log
            .lines()
            .skip_while(|line| !is_it(line))
            .take(2)
            .collect::<String>();
        for part in [
            "(event 13, type probe.poison, stream probe-1)",
            "next_step=",
            "version=1.0.0",
        ] {
            expect(
                said.contains(part),
                format!("{guest}: nothing of {part:?} in {said:?}"),
            );
        }
    }
    wrong
}

/// `steals_from_tenants` notes whose rows it finds, and how much of it is not its
/// own. It has tried every key that another's rows have.
fn assert_no_tenant_was_robbed(stage: &Stage) {
    let rows = stage.answer(
        "SELECT tenant, position, note, amount FROM steals_from_tenants ORDER BY tenant, position",
    );
    assert_eq!(rows, "a\t0\ta\t0\na\t197\ta\t0\nb\t0\tb\t0\nb\t198\tb\t0\n");
}

/// `keeps_state` notes in each row which batch of its memory it is.
fn assert_nothing_was_remembered(stage: &Stage) {
    assert_eq!(
        stage.answer("SELECT DISTINCT amount FROM keeps_state"),
        "1\n"
    );
}

/// `seeks_chance` notes what might differ: filled again, it must not.
fn assert_chance_is_the_same_again(stage: &Stage) {
    const ALL: &str = "SELECT position, amount FROM seeks_chance ORDER BY position";
    let before = stage.answer(ALL);
    assert!(before.lines().count() > 15, "it noted too little: {before}");
    stage
        .host
        .command(&["rebuild", "seeks_chance", "--wait"])
        .ok();
    assert_eq!(stage.answer(ALL), before);
}

/// A unique index is made after the first fill; from then on, the event is named
/// whose rows it forbids, and no row of that event is kept.
fn assert_a_unique_index_holds(stage: &Stage) {
    const NAME: &str = "breaks_a_unique_index";
    let before = stage.noted(NAME);
    stage.append_late();
    stage.host.until_state(NAME, "failed");
    let failure = stage.host.projector_status(NAME)["failure"].clone();
    let cause = failure["cause"].as_str().unwrap_or_default();
    assert!(
        cause.contains("have the same amount, which a unique index forbids"),
        "{failure:#}"
    );
    assert_eq!(failure["event_type"], "probe.late", "{failure:#}");
    assert_eq!(stage.noted(NAME), before);
}

/// Who has failed is not tried again by a restart; it is by an operator, and
/// fails again.
fn assert_a_restart_changes_nothing(stage: &mut Stage) {
    stage.host.stop();
    stage.host.start();
    stage.speed_of_the_neighbour();
    stage.assert_the_neighbour_is_right();
    let status = stage.settled(CASES);
    let others = CASES
        .iter()
        .filter(|case| case.guest != "breaks_a_unique_index");
    let wrong: Vec<String> = others
        .flat_map(|case| wrong_with(case, &status, stage))
        .collect();
    assert!(wrong.is_empty(), "after a restart:\n{}", wrong.join("\n"));
    let before = stage.host.projector_status("panics")["failure"]["at"].clone();
    stage.host.command(&["resume", "panics"]).ok();
    stage.host.until("`panics` has failed again", || {
        let failure = stage.host.projector_status("panics")["failure"].clone();
        !failure.is_null() && failure["at"] != before
    });
}

/// A mended component of the same version goes on where the former one stopped.
fn assert_the_mended_go_on(stage: &Stage) {
    for guest in MENDED {
        let mended = oddities::bytes(&format!("{guest}_fixed"));
        stage.host.install_bytes(&mended, &format!("{guest}.wasm"));
        stage.host.until(&format!("{guest} goes on"), || {
            let status = stage.host.projector_status(guest);
            status["state"] == "live" && status["lag"] == 0
        });
        // -1 is what a sound guest notes for the poison.
        let noted = stage.noted(guest).unwrap_or_default();
        assert!(
            noted.starts_with("-1,11,12,14,15"),
            "{guest} has noted {noted}"
        );
    }
}

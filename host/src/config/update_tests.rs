//! What schedules say, at the hours that clocks skip and double too; and what
//! does not go together.

use super::*;
use crate::config::{FileText, Inputs, resolve};

/// Midnight UTC is hours from either change, and the zone changes at 01:00 UTC.
const BERLIN: &str = "Europe/Berlin";

fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::of(expression, zone);
    let mut at = Timestamp::parse(after).unwrap();
    let next = || {
        at = schedule.next_after(at)?;
        Some(at.to_string().replace(":00.000Z", "Z"))
    };
    std::iter::from_fn(next).take(count).collect()
}

#[test]
fn times_are_those_of_the_zone() {
    let after = "2026-07-01T00:00:00Z";
    assert_eq!(
        times("30 2 * * *", "UTC", after, 2),
        ["2026-07-01T02:30Z", "2026-07-02T02:30Z"]
    );
    assert_eq!(
        times("30 2 * * *", BERLIN, after, 2),
        ["2026-07-01T00:30Z", "2026-07-02T00:30Z"]
    );
    assert_eq!(
        times("0 9 * * mon", "America/New_York", after, 1),
        ["2026-07-06T13:00Z"]
    );
    // The time itself is past.
    assert_eq!(
        times("*/10 * * * * *", "UTC", after, 2),
        ["2026-07-01T00:00:10.000Z", "2026-07-01T00:00:20.000Z"]
    );
}

#[test]
fn a_fixed_time_in_a_skipped_hour_comes_at_its_end() {
    let after = "2026-03-29T00:00:00Z";
    assert_eq!(
        times("30 2 * * *", BERLIN, after, 2),
        ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]
    );
    // One that is not in it comes when it would, and once.
    assert_eq!(
        times("0 3 * * *", BERLIN, after, 2),
        ["2026-03-29T01:00Z", "2026-03-30T01:00Z"]
    );
    // Steps go on as if there were no gap.
    assert_eq!(
        times("*/30 * * * *", BERLIN, after, 3),
        [
            "2026-03-29T00:30Z",
            "2026-03-29T01:00Z",
            "2026-03-29T01:30Z"
        ]
    );
}

#[test]
fn a_fixed_time_in_a_doubled_hour_comes_once_and_steps_go_through_both() {
    let after = "2026-10-25T00:00:00Z";
    assert_eq!(
        times("30 2 * * *", BERLIN, after, 2),
        ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
    );
    assert_eq!(
        times("*/30 * * * *", BERLIN, after, 4),
        [
            "2026-10-25T00:30Z",
            "2026-10-25T01:00Z",
            "2026-10-25T01:30Z",
            "2026-10-25T02:00Z"
        ]
    );
}

#[test]
fn a_wrong_expression_is_told_by_its_field() {
    for (text, part) in [
        ("0 25 * * *", "the hour `25`: "),
        ("61 * * * *", "the minute `61`: "),
        ("61 * * * * *", "the second `61`: "),
        ("0 2 * * xyz", "the day of the week `xyz`: "),
        ("0 2 0 * *", "the day of the month `0`: "),
        ("*/0 * * * *", "the minute `*/0`: "),
        ("0 2 * *", "4 fields"),
        ("hourly", "1 fields"),
        ("0 0 30 2 *", "no such time ever comes"),
    ] {
        let wrong = CronExpression::parse(text).unwrap_err();
        assert!(wrong.contains(part), "{text}: {wrong}");
    }
    for text in ["0 2 * * MON-FRI", "@daily", " 0  0 1 1 * ", "0 0 L * *"] {
        assert!(CronExpression::parse(text).is_ok(), "{text}");
    }
}

fn resolved(text: &str) -> Result<Resolved, ConfigError> {
    resolve(&Inputs {
        file: Some(FileText {
            path: "lantern.toml".into(),
            text: text.into(),
        }),
        ..Inputs::default()
    })
}

#[test]
fn strategies_are_set_for_all_and_for_one() {
    let text = "[update]\nstrategy = 'batched'\nevents = 7\n\
                [projectors.nightly.update]\nstrategy = 'scheduled'\nschedule = '0 2 * * *'\n\
                time_zone = 'europe/berlin'\n\
                [projectors.live]\nupdate.strategy = 'immediate'";
    let settings = resolved(text).unwrap().settings;
    let shown = |name: &str| settings.projector(name).update.update().to_string();
    assert_eq!(shown("nightly"), "scheduled, `0 2 * * *` Europe/Berlin");
    assert_eq!(shown("live"), "immediate");
    assert_eq!(shown("any"), "batched, every 60s or 7 events");
}

#[test]
fn what_does_not_go_together_is_refused_where_it_stands() {
    for (text, message) in [
        (
            "update.strategy = 'scheduled'",
            "lantern.toml:1: `update.strategy` is `scheduled`, but `update.schedule` is not set",
        ),
        (
            "[projectors.p]\nupdate.strategy = 'scheduled'",
            "lantern.toml:2: `projectors.p.update.strategy` is `scheduled`, but `update.schedule` \
             is not set",
        ),
        (
            "update.schedule = '@daily'",
            "lantern.toml:1: `update.schedule` has no effect without \
             `update.strategy = \"scheduled\"`",
        ),
        (
            "[update]\nstrategy = 'batched'\n[projectors.p.update]\nstrategy = 'immediate'\n\
             interval_ms = 500",
            "lantern.toml:5: `projectors.p.update.interval_ms` has no effect without \
             `update.strategy = \"batched\"`",
        ),
        (
            "update = { strategy = 'scheduled', schedule = '@daily', time_zone = 'Mars/Base' }",
            "lantern.toml:1: `update.time_zone` must be the name of a time zone such as \
             `Europe/Berlin`, not \"Mars/Base\"",
        ),
        (
            "update = { strategy = 'scheduled', schedule = '0 25 * * *' }",
            "lantern.toml:1: `update.schedule` must be a cron expression such as \
             `30 2 * * mon-fri` (the hour `25`: number out of bounds), not \"0 25 * * *\"",
        ),
    ] {
        assert_eq!(resolved(text).unwrap_err().to_string(), message);
    }
    // What is said of all may be used by one.
    let used = "update.schedule = '@daily'\n[projectors.p]\nupdate.strategy = 'scheduled'";
    assert!(resolved(used).is_ok());
}

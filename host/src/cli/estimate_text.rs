//! What a rebuild would cost, as text or JSON.

use super::error::CliError;
use super::numbers::{bytes, count, counted, duration, rate};
use super::output::{print, print_json, printable};
use crate::operations::Estimate;

/// Prints what something would cost that was not done.
pub(super) fn print_estimate(estimate: &Estimate, as_json: bool) -> Result<(), CliError> {
    match as_json {
        true => print_json(estimate),
        false => print(&estimate_text(estimate)),
    }
}

fn estimate_text(estimate: &Estimate) -> String {
    let time = match (estimate.seconds, estimate.events_per_second) {
        (Some(seconds), Some(speed)) => format!(
            "about {}, at {} as measured over {} when it was filled",
            duration(seconds),
            rate(speed),
            counted(estimate.measured_events, "event")
        ),
        _ => "unknown: no fill of it has been measured yet".into(),
    };
    let space = match estimate.bytes {
        Some(size) => format!("about {} more while both are kept", bytes(size)),
        None => "unknown: the database cannot say".into(),
    };
    format!(
        "{} of {} would read {}, up to position {}\n  time   {time}\n  space  {space}\n  rows   {} \
         there now would be made anew\nnothing was changed\n",
        printable(&estimate.what),
        estimate.name,
        counted(estimate.events, "event"),
        count(estimate.to.0),
        count(estimate.rows),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Position, ProjectorName};

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        let mut estimate = Estimate {
            name: ProjectorName::new("orders").unwrap(),
            what: "a rebuild".into(),
            to: Position(2_000),
            events: 1_500,
            rows: 30,
            seconds: Some(3.0),
            events_per_second: Some(500.0),
            measured_events: 1_000,
            bytes: Some(4_096),
        };
        assert_eq!(
            estimate_text(&estimate),
            "a rebuild of orders would read 1,500 events, up to position 2,000\n  \
             time   about 3s, at 500/s as measured over 1,000 events when it was filled\n  \
             space  about 4.0 KiB more while both are kept\n  \
             rows   30 there now would be made anew\nnothing was changed\n"
        );
        estimate.seconds = None;
        estimate.bytes = None;
        let text = estimate_text(&estimate);
        assert_eq!(text.matches("unknown").count(), 2, "{text}");
    }
}

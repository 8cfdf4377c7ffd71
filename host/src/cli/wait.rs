//! `lantern wait`.

use std::time::Duration;

use clap::{ArgGroup, Args};

use super::context::Context;
use super::error::CliError;
use super::numbers::{count, counted};
use super::output::{print, print_json_line, printable};
use crate::model::{Checkpoint, Position};
use crate::operations::{self, ErrorClass, Pending, Standstill, WaitEnd, Waited};

/// Wait until a projector's read models hold a position
///
/// `lantern append` tells the position that its events end at. The wait ends
/// within about 10 ms of the commit; at once when the projector stands still.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true), after_help = "\
Examples:
  lantern wait orders --position 1042
  lantern wait orders --head --timeout 2m
  lantern wait orders --head --timeout 0s      look once

Exit codes: 0 the read models hold it, 1 the projector stands still or there is
none, 3 not yet when the time was up.")]
pub(super) struct Wait {
    /// The projector
    name: String,

    /// The position, as an append tells it
    #[arg(long, value_name = "N", group = "target")]
    position: Option<u64>,

    /// The end of the log as it is now
    #[arg(long, group = "target")]
    head: bool,

    /// How long to wait at most, such as 500ms, 30s or 1m 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    timeout: Duration,

    /// JSON instead of a sentence
    #[arg(long)]
    json: bool,
}

impl Wait {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let target = match self.position {
            Some(position) => Checkpoint::at(Position(position)),
            None => operations::head(&lantern).await?,
        };
        let waited = operations::wait_for(&lantern, &self.name, target, self.timeout).await?;
        if self.json {
            print_json_line(&waited)?;
        } else if waited.end == WaitEnd::Reached {
            print(&format!(
                "{} holds position {}",
                waited.projector, waited.target
            ))?;
            if let Some(oldest) = waited.waiting.oldest {
                eprintln!(
                    "but not {}, the first at position {oldest}, that must wait for earlier \
                     versions of their entities",
                    counted(waited.waiting.events, "event"),
                );
            }
        }
        conclude(&waited)
    }
}

fn conclude(waited: &Waited) -> Result<(), CliError> {
    let how_far = format!(
        "{} is at position {}, {} before {}",
        waited.projector,
        waited.checkpoint,
        counted(waited.missing, "position"),
        waited.target
    );
    match &waited.end {
        WaitEnd::Reached => Ok(()),
        WaitEnd::NotYet(pending) => Err(told(
            ErrorClass::Environment,
            how_far,
            not_yet(waited, pending),
        )),
        WaitEnd::StandsStill(standstill) => {
            let (why, hint) = stands_still(waited, standstill);
            Err(told(
                ErrorClass::User,
                format!("{how_far}, and {why}"),
                hint,
            ))
        }
    }
}

fn told(class: ErrorClass, text: String, hint: String) -> CliError {
    CliError::Told {
        class,
        error: anyhow::Error::msg(text),
        hint: Some(hint),
    }
}

/// What is to be known when the time was up.
fn not_yet(waited: &Waited, pending: &Pending) -> String {
    let name = &waited.projector;
    if !pending.head.reaches(&waited.target) {
        let end = count(pending.head.position().0);
        return format!("the log ends at position {end}: this one has not been appended yet");
    }
    if let Some(trouble) = &pending.trouble {
        return format!("it is being tried again: {}", printable(trouble));
    }
    if let Some(next_run) = pending.next_run_at {
        return format!("it works next at {next_run}; `update.strategy` says when it works");
    }
    match pending.state.as_str() {
        "stopped" => "no host runs; `lantern run` starts one".into(),
        state => format!(
            "it is {state}; give it more time with --timeout, or see how {name} stands with `lantern status`"
        ),
    }
}

fn stands_still(waited: &Waited, standstill: &Standstill) -> (String, String) {
    let name = &waited.projector;
    let goes_on = format!("`lantern resume {name}` lets it go on");
    match standstill {
        Standstill::Paused => ("it is paused".into(), goes_on),
        Standstill::Detached => (
            "its file is gone from the watched folder".into(),
            format!("put the file back, or {goes_on}"),
        ),
        Standstill::Failed(failure) => (
            format!("it failed: {}", printable(&failure.to_string())),
            failure.next_step.clone(),
        ),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let duration = parsed.map_err(|error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "a time to wait is not negative".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProjectorName, WaitingCount};

    #[test]
    fn times_are_given_with_their_unit() {
        for (text, milliseconds) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("1m 30s", 90_000),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
        for wrong in ["30", "soon", "-1s", ""] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_keeps_it_is_told_nearest_first() {
        let waited = Waited {
            projector: ProjectorName::new("orders").unwrap(),
            target: Checkpoint::at(Position(7)),
            checkpoint: Checkpoint::at(Position(5)),
            missing: 2,
            waiting: WaitingCount::default(),
            end: WaitEnd::Reached,
        };
        let pending = |head, state: &str, trouble: Option<&str>| Pending {
            state: state.into(),
            trouble: trouble.map(str::to_owned),
            next_run_at: None,
            head: Checkpoint::at(Position(head)),
        };
        for (pending, expected) in [
            (pending(6, "live", None), "the log ends at position 6"),
            (pending(7, "stopped", None), "`lantern run`"),
            (
                pending(9, "live", Some("locked")),
                "being tried again: locked",
            ),
            (pending(9, "catching up", None), "it is catching up"),
        ] {
            let hint = not_yet(&waited, &pending);
            assert!(hint.contains(expected), "{hint}");
        }
    }
}

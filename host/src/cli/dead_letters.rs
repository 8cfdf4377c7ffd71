//! `lantern dead-letters`.

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CliError;
use super::numbers::{count, counted};
use super::output::{Column, print, print_json, printable, table};
use crate::model::{DeadLetterChoice, DeadLetterRequest, Position};
use crate::operations::{self, DeadLettersOf, ListedDeadLetter, ShownDeadLetter};

/// List, retry or discard events that were set aside
///
/// With `failure.live = "quarantine"`, an event that a projector cannot project is
/// set aside, and with it what its stream brings later; other streams go on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern dead-letters list
  lantern dead-letters show orders 4711
  lantern dead-letters retry orders --stream order-17
  lantern dead-letters discard orders --position 4711")]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Retry(Retry),
    Discard(Discard),
}

impl DeadLetters {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        match self.verb {
            Verb::List(verb) => verb.execute(context).await,
            Verb::Show(verb) => verb.execute(context).await,
            Verb::Retry(verb) => verb.execute(context).await,
            Verb::Discard(verb) => verb.execute(context).await,
        }
    }
}

/// List dead letters, in the order of positions
#[derive(Debug, Args)]
struct List {
    /// Only those of this projector
    projector: Option<String>,

    /// Only those of this stream
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,

    /// With --stream, only those of this tenant
    #[arg(long, value_name = "NAME", requires = "stream")]
    tenant: Option<String>,

    /// Those of the generation being built, not of the one that readers see
    #[arg(long)]
    building: bool,

    /// The most letters wanted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl List {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let choice = match self.stream {
            Some(stream) => DeadLetterChoice::Stream {
                tenant: self.tenant,
                stream,
            },
            None => DeadLetterChoice::All,
        };
        let name = self.projector.as_deref();
        let of = of(self.building);
        let letters = operations::dead_letters(&lantern, name, of, &choice, self.limit).await?;
        if self.json {
            return print_json(&letters);
        }
        if letters.is_empty() {
            return print("there are no dead letters");
        }
        let columns = [
            Column::Left("PROJECTOR"),
            Column::Right("POSITION"),
            Column::Left("TENANT"),
            Column::Left("STREAM"),
            Column::Left("TYPE"),
            Column::Right("TRIES"),
            Column::Left("SINCE"),
            Column::Left("WHY"),
        ];
        print(&table(&columns, letters.iter().map(row).collect()))
    }
}

fn row(listed: &ListedDeadLetter) -> Vec<String> {
    let letter = &listed.letter;
    vec![
        listed.projector.clone(),
        count(letter.position.0),
        printable(&letter.tenant),
        printable(&letter.stream),
        printable(&letter.event_type),
        count(letter.attempts),
        letter.set_aside_at.to_string(),
        why(listed).chars().take(200).collect(),
    ]
}

/// Why it lies there, in one line.
fn why(listed: &ListedDeadLetter) -> String {
    let cause = match &listed.letter.error {
        Some(error) => {
            let lines: Vec<String> = error
                .cause
                .lines()
                .map(|line| printable(line.trim()))
                .collect();
            lines.join(" ")
        }
        None => "waits behind an earlier event of its stream".into(),
    };
    match listed.asked {
        Some(DeadLetterRequest::Retry) => format!("(to be tried again) {cause}"),
        Some(DeadLetterRequest::Discard) => format!("(to be discarded) {cause}"),
        None => cause,
    }
}

/// Show one dead letter with its event
#[derive(Debug, Args)]
struct Show {
    /// The projector
    projector: String,

    /// The event's position
    position: u64,

    /// Of the generation being built
    #[arg(long)]
    building: bool,

    /// JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Show {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let (of, position) = (of(self.building), Position(self.position));
        let shown = operations::dead_letter(&lantern, &self.projector, of, position).await?;
        if self.json {
            return print_json(&shown);
        }
        print(&shown_text(&shown))
    }
}

fn shown_text(shown: &ShownDeadLetter) -> String {
    let letter = &shown.letter.letter;
    let mut lines = vec![
        format!("position    {}", count(letter.position.0)),
        format!("stream      {}", printable(&letter.stream)),
        format!("version     {}", count(letter.version)),
        format!("type        {}", printable(&letter.event_type)),
        format!("time        {}", letter.time),
        format!("set aside   {}", letter.set_aside_at),
        format!("tries       {}", count(letter.attempts)),
        format!("why         {}", why(&shown.letter)),
    ];
    if !letter.tenant.is_empty() {
        lines.insert(1, format!("tenant      {}", printable(&letter.tenant)));
    }
    if let Some(error) = &letter.error {
        lines.push(format!(
            "last tried  {} by component {}",
            error.at, error.digest
        ));
    }
    match &shown.event {
        Some(event) => {
            lines.push(format!("id          {}", printable(&event.id)));
            lines.push(match &event.data {
                Some(data) => format!("data        {}", printable(data)),
                None => format!(
                    "data        {} bytes, not text",
                    count(event.data_bytes as u64)
                ),
            });
            if !event.metadata.is_empty() {
                lines.push(format!("metadata    {}", printable(&event.metadata)));
            }
        }
        None => lines.push("the event is no longer in the log".into()),
    }
    lines.join("\n")
}

/// Which dead letters a verb is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Those of this stream
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,

    /// The one at this position
    #[arg(long, value_name = "N")]
    position: Option<u64>,

    /// All of the projector
    #[arg(long)]
    all: bool,
}

/// Where they are looked for.
#[derive(Debug, Args)]
struct Scope {
    /// With --stream, of this tenant only
    #[arg(long, value_name = "NAME", requires = "stream")]
    tenant: Option<String>,

    /// Of the generation being built, not of the one that readers see
    #[arg(long)]
    building: bool,
}

impl Which {
    fn choice(&self, scope: &Scope) -> DeadLetterChoice {
        match (&self.stream, self.position) {
            (Some(stream), _) => DeadLetterChoice::Stream {
                tenant: scope.tenant.clone(),
                stream: stream.clone(),
            },
            (None, Some(position)) => DeadLetterChoice::At(Position(position)),
            (None, None) => DeadLetterChoice::All,
        }
    }
}

/// Try dead letters again, each stream from its first
///
/// A stream that gets through flows again. One that fails again keeps waiting.
#[derive(Debug, Args)]
struct Retry {
    /// The projector
    projector: String,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    scope: Scope,
}

impl Retry {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let (of, choice) = (of(self.scope.building), self.which.choice(&self.scope));
        let asked = operations::retry_dead_letters(&lantern, &self.projector, of, &choice).await?;
        print(&format!(
            "{} of {} to be tried again by the host that works on it",
            counted(asked, "event"),
            self.projector
        ))
    }
}

/// Give dead letters up: their events are never projected
///
/// What waits behind one in its stream is tried then. A rebuild meets all events
/// again, these too.
#[derive(Debug, Args)]
struct Discard {
    /// The projector
    projector: String,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    scope: Scope,
}

impl Discard {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let (of, choice) = (of(self.scope.building), self.which.choice(&self.scope));
        let asked =
            operations::discard_dead_letters(&lantern, &self.projector, of, &choice).await?;
        print(&format!(
            "{} of {} to be discarded by the host that works on it",
            counted(asked, "event"),
            self.projector
        ))
    }
}

fn of(building: bool) -> DeadLettersOf {
    match building {
        true => DeadLettersOf::Building,
        false => DeadLettersOf::Live,
    }
}

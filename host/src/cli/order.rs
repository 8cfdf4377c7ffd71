//! `lantern order`.

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CliError;
use super::numbers::{count, counted};
use super::output::{Column, print, print_json, printable, table};
use crate::model::WaitingEvent;
use crate::operations::{self, DeadLettersOf};

/// List or release events that wait in strict order
///
/// A projector that asks for strict order gets the events of an entity one version
/// after another: an event waits while an earlier version is missing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern order list balances
  lantern order release balances --entity account-17")]
pub(super) struct Order {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Release(Release),
}

impl Order {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        match self.verb {
            Verb::List(verb) => verb.execute(context).await,
            Verb::Release(verb) => verb.execute(context).await,
        }
    }
}

/// List the events that wait, in the order of positions
#[derive(Debug, Args)]
struct List {
    /// The projector
    projector: String,

    /// Those of the generation being built, not of the one that readers see
    #[arg(long)]
    building: bool,

    /// JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl List {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let (name, of) = (&self.projector, of(self.building));
        let events = operations::waiting_events(&lantern, name, of).await?;
        if self.json {
            return print_json(&events);
        }
        if events.is_empty() {
            return print("no event waits");
        }
        let columns = [
            Column::Right("POSITION"),
            Column::Left("TENANT"),
            Column::Left("ENTITY"),
            Column::Right("VERSION"),
            Column::Left("STREAM"),
        ];
        print(&table(&columns, events.iter().map(row).collect()))
    }
}

fn row(event: &WaitingEvent) -> Vec<String> {
    vec![
        count(event.position.0),
        printable(&event.tenant),
        printable(&event.entity),
        count(event.version),
        printable(&event.stream),
    ]
}

/// Have the events of an entity follow without what is missing before them
///
/// What is missing is given up: should it come later, it is left out.
#[derive(Debug, Args)]
struct Release {
    /// The projector
    projector: String,

    /// The entity
    #[arg(long, value_name = "NAME")]
    entity: String,

    /// Only that of this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Of the generation being built
    #[arg(long)]
    building: bool,
}

impl Release {
    async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        let (name, tenant) = (&self.projector, self.tenant.as_deref());
        let of = of(self.building);
        let events =
            operations::release_waiting_events(&lantern, name, of, tenant, &self.entity).await?;
        let events = counted(events, "event");
        print(&format!(
            "{events} of {name} will follow when a host works on it"
        ))
    }
}

fn of(building: bool) -> DeadLettersOf {
    match building {
        true => DeadLettersOf::Building,
        false => DeadLettersOf::Live,
    }
}

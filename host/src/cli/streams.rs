//! `lantern streams`.

use clap::Args;

use super::context::{Context, Talk};
use super::error::CliError;
use super::numbers::count;
use super::output::{Column, print, print_json, table};
use crate::operations;

/// List streams of the event log, by name
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lantern streams
  lantern streams order- --limit 20
  lantern streams --prefix process/acme/ --json")]
pub(super) struct Streams {
    /// Only streams whose name begins so
    #[arg(default_value = "", hide_default_value = true)]
    beginning: String,

    /// The same, as a flag
    #[arg(long, conflicts_with = "beginning")]
    prefix: Option<String>,

    /// The most streams wanted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl Streams {
    pub(super) async fn execute(self, context: &Context) -> Result<(), CliError> {
        let lantern = context.open_existing().await?;
        // One above the limit, to know whether there are more.
        let prefix = self.prefix.as_ref().unwrap_or(&self.beginning);
        let mut streams =
            operations::streams(&lantern, prefix, self.limit.saturating_add(1)).await?;
        let has_more = streams.len() > self.limit;
        streams.truncate(self.limit);
        if self.json {
            print_json(&streams)?;
        } else {
            let rows = streams
                .iter()
                .map(|s| vec![s.stream.clone(), s.tenant.clone(), count(s.version)]);
            let columns = [
                Column::Left("STREAM"),
                Column::Left("TENANT"),
                Column::Right("EVENTS"),
            ];
            print(&table(&columns, rows.collect()))?;
        }
        if has_more && context.talk != Talk::Quiet {
            eprintln!("there are more streams; --limit N shows more of them");
        }
        Ok(())
    }
}

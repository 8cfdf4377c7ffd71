//! The command line: a skin over `operations`.
//!
//! One file for each verb or group of verbs. `globals` are the flags that every
//! command has, `context` is what they and the settings come to, `output` and
//! `numbers` are how results look, `error` how failures do. Results go to
//! stdout; logs, progress and errors to stderr.

mod append;
mod build;
mod config;
mod context;
mod dead_letters;
mod error;
mod estimate_text;
mod globals;
mod inspect;
mod new;
mod numbers;
mod order;
mod output;
mod progress;
mod projectors;
mod query;
mod query_output;
mod rebuild;
mod rewind;
mod run;
mod signals;
mod status;
mod status_text;
mod streams;
mod wait;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::context::{Context, Voice};
use self::error::CliError;
use self::globals::Globals;

/// Keeps read models right: streams events into sandboxed WebAssembly projectors
/// and commits their rows together with their checkpoints.
#[derive(Debug, Parser)]
#[command(name = "lantern", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lantern new visits                          make a projector in Rust
  lantern build visits                        compile it into the watched folder
  lantern append visits/events.jsonl          append events
  lantern run                                 project, and watch the folder
  lantern query page_visits --order -visits   look at the read model

Exit codes: 0 done, 1 your request or input, 2 usage, 3 the environment (files,
locks, disk) or not yet, 70 a bug in lantern.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Append(append::Append),
    Status(status::ShowStatus),
    Inspect(inspect::Inspect),
    Rebuild(rebuild::Rebuild),
    Rewind(rewind::Rewind),
    Pause(projectors::Pause),
    Resume(projectors::Resume),
    Rollback(projectors::Rollback),
    Drop(projectors::Drop),
    DeadLetters(dead_letters::DeadLetters),
    Order(order::Order),
    Query(query::Ask),
    Streams(streams::Streams),
    Wait(wait::Wait),
    New(new::New),
    Build(build::Build),
    Config(config::ShowConfig),
}

/// Parses the arguments of the process, runs one command, and tells what went
/// wrong.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(usage) => return error::report_usage(&usage),
    };
    // A panic has told its place by itself; what is left is the exit code.
    let ended = catch_unwind(AssertUnwindSafe(|| execute(cli)));
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => error.report(),
        Err(_) => error::report_panic(),
    }
}

fn execute(cli: Cli) -> Result<(), CliError> {
    let voice = if matches!(cli.command, Command::Run(_)) {
        Voice::Log
    } else {
        Voice::Result
    };
    let context = Context::new(cli.globals, voice)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::environment("cannot start threads", error))?;
    let ended = runtime.block_on(dispatch(cli.command, &context));
    // What a command wanted done is done; idle readers are not waited for.
    runtime.shutdown_background();
    ended
}

async fn dispatch(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Run(command) => command.execute(context).await,
        Command::Append(command) => command.execute(context).await,
        Command::Status(command) => command.execute(context).await,
        Command::Inspect(command) => command.execute(context).await,
        Command::Rebuild(command) => command.execute(context).await,
        Command::Rewind(command) => command.execute(context).await,
        Command::Pause(command) => command.execute(context).await,
        Command::Resume(command) => command.execute(context).await,
        Command::Rollback(command) => command.execute(context).await,
        Command::Drop(command) => command.execute(context).await,
        Command::DeadLetters(command) => command.execute(context).await,
        Command::Order(command) => command.execute(context).await,
        Command::Query(command) => command.execute(context).await,
        Command::Streams(command) => command.execute(context).await,
        Command::Wait(command) => command.execute(context).await,
        Command::New(command) => command.execute(),
        Command::Build(command) => command.execute(context).await,
        Command::Config(command) => command.execute(context),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_every_command_shows_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
        {
            let after = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                after.contains("lantern "),
                "`{}` has no example",
                command.get_name()
            );
        }
    }
}

//! The program: parse, run one command, tell what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    lantern::cli::main(std::env::args_os())
}

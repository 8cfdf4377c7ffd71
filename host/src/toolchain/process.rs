//! Running a program and hearing what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::ToolchainError;

/// How a program ended, and what it said last on standard error.
pub(super) struct Ended {
    pub(super) succeeded: bool,
    pub(super) said: String,
}

enum Line {
    Output(String),
    Error(String),
}

/// The lines kept for an error message: enough for a few compiler diagnostics.
const KEPT_LINES: usize = 200;

/// Runs a program to its end. Each line of its output goes to `output`, each of
/// its standard error to `progress`.
pub(super) fn run(
    command: &mut Command,
    mut output: impl FnMut(&str),
    progress: &dyn Fn(&str),
) -> Result<Ended, ToolchainError> {
    let failed = |source, command: &Command| ToolchainError::Run {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e, command))?;
    let (sender, lines) = channel();
    let readers = [
        child
            .stdout
            .take()
            .map(|pipe| read_lines(pipe, Line::Output, sender.clone())),
        child
            .stderr
            .take()
            .map(|pipe| read_lines(pipe, Line::Error, sender.clone())),
    ];
    drop(sender);

    let mut said: Vec<String> = Vec::new();
    for line in lines {
        match line {
            Line::Output(line) => output(&line),
            Line::Error(line) => {
                progress(&line);
                said.push(line);
            }
        }
    }
    for reader in readers.into_iter().flatten() {
        // A reader that panicked has only cut the message short.
        let _ = reader.join();
    }
    let status = child.wait().map_err(|e| failed(e, command))?;
    let said = said
        .split_off(said.len().saturating_sub(KEPT_LINES))
        .join("\n");
    Ok(Ended {
        succeeded: status.success(),
        said,
    })
}

/// What a program prints, if it runs and succeeds.
pub(super) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Reads a pipe in a thread of its own, since a full one stops the program.
fn read_lines(
    pipe: impl Read + Send + 'static,
    kind: fn(String) -> Line,
    sender: Sender<Line>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(kind(line)).is_err() {
                return;
            }
        }
    })
}
